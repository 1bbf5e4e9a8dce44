"""Questions of drivers to the person at the controller's terminal, and the answers that come back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.agent.calls import Answer, Question
from runner.api.person import Person
from runner.api.values import Duration
from runner.api.verdicts import Unreachable


class People:
    """Lets drivers ask; a question belongs to no call, and its answer is a request of its own."""

    def __init__(self, tell: Callable[[Question], None]) -> None:
        """Have `tell` bring questions to the controller."""
        self._tell = tell
        self._changed = threading.Condition()
        self._asked = 0
        self._answers: dict[int, str | None] = {}
        self._askers: dict[int, tuple[str, str]] = {}
        self._gone = False

    def at_the_terminal(self, bench: str, device: str) -> Person:
        """Return who a device of a bench may ask."""
        return _Somebody(self, bench, device)

    def answer(self, request: Answer) -> None:
        """Take an answer; one that nobody waits for any more is of no use."""
        with self._changed:
            if request.number in self._answers:
                self._answers[request.number] = request.text
                self._changed.notify_all()

    def leave(self) -> None:
        """Say that the controller has gone: nobody answers any more."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def withdraw(self, bench: str, device: str) -> None:
        """Take back what a device has asked."""
        with self._changed:
            for number, asker in self._askers.items():
                if asker == (bench, device):
                    self._answers[number] = ""
            self._changed.notify_all()

    def ask(self, bench: str, device: str, text: str, within: Duration) -> str:
        """Ask, and return the answer: ``yes``, ``no``, or nothing when nobody is there to be asked."""
        with self._changed:
            self._asked += 1
            number = self._asked
            self._answers[number] = None
            self._askers[number] = (bench, device)
        try:
            if not self._gone:
                self._tell(Question(bench, number, device, text))
            answer = self._awaited(number, within)
        finally:
            with self._changed:
                del self._answers[number], self._askers[number]
        return answer

    def _awaited(self, number: int, within: Duration) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._gone or self._answers[number] is not None, within)
            answer, gone = self._answers[number], self._gone
            bench, device = self._askers[number]
        if not answer and not gone:
            self._tell(Question(bench, number, device, ""))
        if answer is None and not gone:
            raise Unreachable(f"nobody answered within {within}", hint="the option 'limit' gives more time")
        return answer or ""


class _Somebody(Person):
    """Whoever sits at the controller's terminal."""

    def __init__(self, people: People, bench: str, device: str) -> None:
        self._people = people
        self._bench = bench
        self._device = device

    def confirms(self, request: str, within: Duration) -> bool:
        """Ask, and wait for yes or no."""
        answer = self._people.ask(self._bench, self._device, request, within)
        if not answer:
            raise Unreachable("it needs a person at the terminal, and nobody is there")
        return answer == "yes"

    def withdraw(self) -> None:
        """Take back what this device has asked."""
        self._people.withdraw(self._bench, self._device)
