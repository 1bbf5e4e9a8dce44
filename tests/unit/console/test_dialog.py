"""Dialogs: questions in any order or in theirs, too often, and never."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.boards import Board, BoardConsole

from runner.api import Duration, Failed, RecipeFault, TimedOut
from runner.console import Reply, regex

MINUTE = Duration("60s")


class AskingBoard(Board):
    """Asks one question after the other; the next one comes after an answer."""

    def __init__(
        self, questions: Sequence[str], last: str = "Setup complete\r\n", *, chunk: int = 4096
    ) -> None:
        super().__init__(chunk=chunk)
        self.questions = list(questions)
        self.last = last
        self.answers: list[str] = []
        self.line = ""
        self._ask()

    def _ask(self) -> None:
        self.say((self.questions.pop(0) if self.questions else self.last).encode(), after=0.5)

    def key(self, key: bytes) -> None:
        if key != b"\n":
            self.line += key.decode()
            return
        self.say(b"\r\n")
        self.answers.append(self.line)
        self.line = ""
        self._ask()


def reply(question: str, keys: str, times: int | None = 1, name: str = "") -> Reply:
    return Reply(regex(question, name), f"{keys}\n".encode(), times)


@pytest.mark.parametrize("chunk", [1, 3, 4096])
def test_questions_are_answered_in_whatever_order_they_come(chunk: int) -> None:
    board = AskingBoard(["Zone: ", "Language [en]: ", "Host name: "], chunk=chunk)
    at = BoardConsole(board)

    talked = at.dialog(
        [
            reply("name: $", "box", name="host"),
            reply(r"\[en\]: ", "de"),
            reply("Zone: ", "UTC"),
            reply("Disk", "sda"),
        ],
        at.context,
        until=regex("Setup complete"),
        within=MINUTE,
    )

    assert board.answers == ["UTC", "de", "box"]
    assert [each.name for each in talked.answered] == ["Zone: ", r"\[en\]: ", "host"]
    assert talked.answered[0].elapsed == pytest.approx(0.5)
    assert (talked.unasked, talked.ended_by) == (("Disk",), "Setup complete")
    assert talked.transcript.startswith("Zone: ")


def test_the_last_answer_ends_a_dialog_that_has_no_other_end() -> None:
    board = AskingBoard(["a? ", "b? "])
    at = BoardConsole(board)

    talked = at.dialog([reply("a", "1"), reply("b", "2")], at.context, ordered=True, within=MINUTE)

    assert (board.answers, talked.ended_by) == (["1", "2"], "")


def test_a_question_may_come_as_often_as_it_is_told() -> None:
    board = AskingBoard(["New password: ", "Retype new password: "])
    at = BoardConsole(board)

    at.dialog([reply("assword: ", "pw", times=2)], at.context, until=regex("complete"), within=MINUTE)

    assert board.answers == ["pw", "pw"]


def test_a_question_without_a_number_may_come_for_ever() -> None:
    board = AskingBoard(["more? "] * 9)
    at = BoardConsole(board)

    at.dialog([reply(r"more\?", "y", times=None)], at.context, until=regex("complete"), within=MINUTE)

    assert len(board.answers) == 9


def test_a_question_that_comes_too_often_fails_at_once() -> None:
    at = BoardConsole(AskingBoard(["Password: "] * 3))

    with pytest.raises(Failed, match="asks 'Password: ' again: the answer was given 1 time$") as caught:
        at.dialog([reply("Password: ", "no")], at.context, until=regex("complete"), within=MINUTE)

    assert not isinstance(caught.value, TimedOut)
    assert at.board.now() < 3


def test_in_order_a_question_waits_for_its_turn() -> None:
    board = AskingBoard(["b? ", "a? ", "b? "])
    at = BoardConsole(board)
    board.say(b"", after=0.1)

    with pytest.raises(TimedOut, match="0 questions were answered; it waits for 'a'"):
        at.dialog([reply("a", "1"), reply("b", "2")], at.context, ordered=True, within=Duration("5s"))
    assert board.typed == b""


def test_what_is_forbidden_ends_it() -> None:
    at = BoardConsole(AskingBoard(["New password: "], last="BAD PASSWORD: too short\r\n"))

    with pytest.raises(Failed, match="said 'BAD'"):
        at.dialog(
            [reply("password: ", "x")],
            at.context,
            until=regex("complete"),
            forbid=[regex("BAD")],
            within=MINUTE,
        )


def test_a_dialog_that_does_not_end_says_what_it_waits_for_and_what_it_did() -> None:
    at = BoardConsole(AskingBoard(["a? "], last="Setup complete"))

    with pytest.raises(TimedOut, match="1 questions were answered; it waits for 'Setup completed'") as caught:
        at.dialog([reply("a", "1")], at.context, until=regex("Setup completed"), within=Duration("9s"))

    assert caught.value.evidence["answered"] == ["a"]
    assert caught.value.evidence["nearest"] == "Setup complete"
    assert caught.value.evidence["limit"] == "within"


def test_a_mark_that_nobody_set_is_the_recipe_s_fault() -> None:
    at = BoardConsole(AskingBoard([]))

    with pytest.raises(RecipeFault, match="no mark 'there'"):
        at.dialog([reply("a", "1")], at.context, within=MINUTE, since="there")
