"""Signals that interrupt a run, heard by a thread of their own.

Python calls its handlers in the main thread alone, once that is woken; a signal that comes just
before the main thread falls asleep, waiting for the benches, wakes it no more. What Python writes
into the wake-up file descriptor is written at once, whatever the main thread does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import click

from runner.engine.schedule import Interrupts

_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals(interrupts: Interrupts) -> Iterator[None]:
    """Hand SIGINT, SIGTERM and SIGHUP to the run for as long as the block lasts.

    Those that are ignored, as `nohup` does with SIGHUP, stay so.
    """
    hearing, woken = os.pipe()
    os.set_blocking(woken, False)
    listener = threading.Thread(target=_listen, args=(hearing, interrupts), name="signals", daemon=True)
    listener.start()
    woken_before = signal.set_wakeup_fd(woken)
    heeded = [number for number in _TAKEN if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken_before)
        os.close(woken)
        listener.join()
        os.close(hearing)


def _listen(hearing: int, interrupts: Interrupts) -> None:
    while number := os.read(hearing, 1):
        if number[0] in _TAKEN:
            _take(signal.Signals(number[0]), interrupts)


def _take(number: signal.Signals, interrupts: Interrupts) -> None:
    again = interrupts.signal != 0
    what = "ending clean-up now" if again else "cleaning up (once more ends that, too)"
    click.echo(f"\n{number.name}: {what}", err=True)
    interrupts.interrupt(number, number.name)
