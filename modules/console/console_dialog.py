"""Answer what the board asks."""

from __future__ import annotations

from runner.api import Context, Duration, Module, Options, RecipeFault, arg, device
from runner.console import Console, Pattern, Reply, Talked, regex
from runner.modules.console.keys import Key, sent_by


class Answer(Options):
    """A question and its answer."""

    expect: str = arg(help="the question, a regular expression")
    send: str = arg(default="", help="what is typed then; a !secret is masked everywhere")
    keys: list[Key] = arg(default=[], help="keys that are pressed, after `send`")
    enter: bool = arg(default=True, help="press Enter after `send`; where there are keys, they say it")
    times: int | None = arg(
        default=1, help="how often the question may come; null: any number of times", minimum=1
    )
    name: str = arg(default="", help="its name in the result; its pattern when left out")


class ConsoleDialog(Module):
    r"""Answer questions of the board until it is done: an installer, a first start, passwd.

    Without `ordered` the questions may come in any order, and those that never come are told in
    the result. A question that comes more often than it may fails at once.

    Example::

        - console_send: {text: passwd, enter: true}
        - console_dialog:
            answers:
              - {expect: "[Nn]ew password: ", send: !secret hunter2, times: 2}
            until: "password updated successfully|password for root changed"
            forbid: ["BAD PASSWORD"]
        - console_dialog:
            answers:
              - {expect: 'Language \[en\]: '}
              - {expect: 'Time zone: ', send: UTC}
            ordered: true
    """

    limited_by = "within"

    answers: list[Answer] = arg(primary=True, help="the questions and their answers")
    until: str | None = arg(
        default=None, help="a regular expression that ends it; the last answer does when left out"
    )
    ordered: bool = arg(default=False, help="the questions must come in this order, and all of them")
    forbid: list[str] = arg(default=[], help="patterns that fail the step at once")
    within: Duration = arg(default=Duration("60s"), help="how long it may take, all in all")
    since: str = arg(
        default="last",
        help="where to begin: last (the end of the last match), start, now, power_on, or a mark's name",
    )
    console: Console = device(help="the console")

    def run(self, context: Context) -> Talked:
        """Wait for questions and answer them."""
        newline = self.console.settings.newline.encode()
        return self.console.dialog(
            [_reply(each, newline) for each in self.answers],
            context,
            until=None if self.until is None else _pattern(self.until, "until"),
            forbid=[_pattern(each, "forbid") for each in self.forbid],
            ordered=self.ordered,
            within=self.within,
            since=self.since,
        )


def _reply(answer: Answer, newline: bytes) -> Reply:
    typed = answer.send.encode() + b"".join(sent_by(key, newline) for key in answer.keys)
    if answer.enter and not answer.keys:
        typed += newline
    return Reply(_pattern(answer.expect, "answers", answer.name), typed, answer.times)


def _pattern(text: str, argument: str, name: str = "") -> Pattern:
    try:
        return regex(text, name)
    except ValueError as error:
        raise RecipeFault(f"{argument}: {error}") from error
