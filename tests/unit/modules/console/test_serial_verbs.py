"""The verbs for serial ports: what they set, in which order, and what they refuse."""

from __future__ import annotations

import struct

import pytest
from support.context import StepContext, Terminal

from runner.api import Context, Duration, RecipeFault
from runner.console import LineCounters, LineSettings, LineState, SerialConsole
from runner.modules.console.console_send import ConsoleSend
from runner.modules.console.modem import counts_in
from runner.modules.console.serial_config import SerialConfig
from runner.modules.console.serial_lines import SerialLines

AS_IT_IS = LineSettings(baudrate=115200, bytesize=8, parity="none", stopbits=1, rtscts=False, xonxoff=False)


class Port(Terminal, SerialConsole):
    """A serial console that notes what is done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = {"dtr": True, "rts": True}
        self.how = AS_IT_IS

    def lines(self) -> LineState:
        return LineState(**self.levels, cts=True, dsr=None, cd=None, ri=None)

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        self.calls.append(("set", dtr, rts))
        given = {"dtr": dtr, "rts": rts}
        self.levels.update({name: level for name, level in given.items() if level is not None})

    def send_break(self, duration: Duration, context: Context) -> None:
        del context
        self.calls.append(("break", duration))

    def line_settings(self) -> LineSettings:
        return self.how

    def set_line_settings(self, settings: LineSettings) -> None:
        self.calls.append(("settings", settings))
        self.how = settings

    def change_speed(self, settings: LineSettings, context: Context, *, at: str, within: Duration) -> None:
        del context
        self.calls.append(("change", settings.baudrate, at, within))


def test_lines_are_set_and_read() -> None:
    port = Port()

    state = SerialLines(dtr=False, console=port).run(StepContext())

    assert port.calls == [("set", False, None)]
    assert (state.dtr, state.rts, state.cts) == (False, True, True)


def test_without_arguments_they_are_only_read() -> None:
    port = Port()

    SerialLines(console=port).run(StepContext())

    assert port.calls == []


@pytest.mark.parametrize("level", [True, False])
def test_a_pulse_turns_a_line_over_and_back(level: bool) -> None:
    port, context = Port(), StepContext()
    port.levels["rts"] = level

    state = SerialLines(pulse="rts", duration=Duration("30ms"), console=port).run(context)

    assert port.calls == [("set", None, not level), ("set", None, level)]
    assert context.slept == [0.03]
    assert state.rts is level


def test_a_line_cannot_be_set_and_pulsed() -> None:
    with pytest.raises(RecipeFault, match="set and pulse 'dtr'"):
        SerialLines(dtr=True, pulse="dtr", console=Port()).run(StepContext())


def test_a_break_is_held_as_long_as_it_is_told() -> None:
    port = Port()

    SerialLines(break_for=Duration("250ms"), console=port).run(StepContext())
    ConsoleSend(break_for=Duration("100ms"), text="b", console=port).run(StepContext())

    assert port.calls == [("break", 0.25), ("break", 0.1), ("send", b"b")]


def test_only_what_is_given_is_changed() -> None:
    port, context = Port(), StepContext()

    result = SerialConfig(baudrate=9600, parity="even", console=port).run(context)

    assert result.before == AS_IT_IS
    assert (port.how.baudrate, port.how.parity, port.how.bytesize) == (9600, "even", 8)
    assert result.now == port.how
    assert context.said == [("info", "the console is at 9600 bit/s, was at 115200")]


def test_a_board_that_is_to_follow_is_told_first() -> None:
    port = Port()

    SerialConfig(baudrate=921600, follow="uboot", within=Duration(5), console=port).run(StepContext())

    assert port.calls == [("change", 921600, "uboot", 5)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "needs something to change"),
        ({"baudrate": 9600, "parity": "odd", "follow": "shell"}, "only change the baudrate"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(
    arguments: dict[str, object], said: str
) -> None:
    port = Port()

    with pytest.raises(RecipeFault, match=said):
        SerialConfig(**arguments, console=port).run(StepContext())  # type: ignore[arg-type]
    assert port.calls == []


def test_the_kernel_s_counters_are_taken_apart_by_their_places() -> None:
    """struct serial_icounter_struct: cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun."""
    told = struct.pack("20i", 90, 91, 92, 93, 1, 2, 3, 4, 5, 6, 7, *[99] * 9)

    assert counts_in(told) == (1, 2, 3, 4, 5, 6, 7)


def test_counters_tell_their_errors_by_name() -> None:
    counters = LineCounters(received=9, sent=9, overrun=2, buffer_overrun=0, frame=1, parity=0, breaks=5)

    assert counters.errors == {"overrun": 2, "frame": 1}
