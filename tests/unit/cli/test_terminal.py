"""A signal ends a session at a terminal, and never while the terminal is made raw or given back."""

from __future__ import annotations

import signal

import pytest

from runner.cli.terminal import Hangup, Signals


def test_a_signal_that_comes_too_early_ends_the_session_as_soon_as_it_may() -> None:
    with Signals() as signals:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Hangup, match="SIGTERM"):
            signals.let_in()


def test_the_first_signal_ends_the_session_and_no_other_one_what_it_does_then() -> None:
    with Signals() as signals:
        signals.let_in()
        with pytest.raises(Hangup, match="SIGHUP"):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_comes_too_late_ends_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        signals.let_in()
        signals.keep_out()
        signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) == before
