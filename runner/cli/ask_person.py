"""Asks the person at the terminal."""

from __future__ import annotations

import os
import select
import sys

import click

from runner.agent.calls import Question
from runner.engine.attendant import Ask
from runner.engine.cancel import Cancellation

_ANSWERS = {"y": "yes", "yes": "yes", "": "yes", "n": "no", "no": "no"}
_LINE = 4096


def person(*, no_input: bool = False) -> Ask | None:
    """Return how to ask whoever sits at the terminal; None when nobody does, or nobody is to be asked."""
    return None if no_input or not (sys.stdin.isatty() and sys.stderr.isatty()) else ask


def ask(question: Question, cancel: Cancellation) -> str:
    """Ask until the answer is yes or no; return nothing when the run ends first, or the terminal."""
    woken, wake = os.pipe()
    leave = cancel.watch(lambda _cause: os.close(wake))
    try:
        while True:
            click.echo(
                f"{question.bench}, {question.device}: {question.text}. Done? [Y/n] ", err=True, nl=False
            )
            ready, _, _ = select.select([sys.stdin.fileno(), woken], [], [])
            line = b"" if woken in ready else os.read(sys.stdin.fileno(), _LINE)
            if not line:
                click.echo(err=True)
                return ""
            answer = _ANSWERS.get(line.decode(errors="replace").strip().lower())
            if answer is not None:
                return answer
    finally:
        leave()
        os.close(woken)
        if cancel.cause is None:
            os.close(wake)
