"""GPIO lines at a kernel that is made for it: every structure byte for byte, and what can go wrong."""

from __future__ import annotations

import errno
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.command import wait_until
from support.context import StepContext
from support.gpio_kernel import (
    ACTIVE_LOW,
    GET_CHIPINFO,
    GET_LINE,
    GET_LINEINFO,
    GET_VALUES,
    INPUT,
    OPEN_DRAIN,
    OUTPUT,
    SET_CONFIG,
    SET_VALUES,
    FakeKernel,
    FakeLine,
    change,
)
from support.plain_context import PlainContext

from runner.api import Cancelled, Duration, Failed, LabError, TimedOut, Unreachable, Unsupported
from runner.modules.gpio.gpio import Gpio
from runner.modules.gpio.gpio_expect import GpioExpect
from runner.modules.gpio.gpio_power import GpioPower
from runner.modules.gpio.gpio_pulse import GpioPulse
from runner.modules.gpio.gpio_read import GpioRead
from runner.modules.gpio.gpio_set import GpioSet
from runner.modules.gpio.gpio_wait import GpioWait

Opened = Callable[..., Any]
LONG = Duration("60s")


@pytest.fixture
def kernel() -> Iterator[FakeKernel]:
    made = FakeKernel(
        gpiochip0=[FakeLine("RESET"), FakeLine(consumer="the kernel's led"), FakeLine("TWICE")],
        gpiochip1=[FakeLine("READY"), FakeLine("TWICE"), FakeLine(level=1)],
    )
    yield made
    made.close()


@pytest.fixture
def opened(kernel: FakeKernel) -> Iterator[Opened]:
    with ExitStack() as stack:

        def make(kind: Any = Gpio, **options: Any) -> Any:
            driver = kind(**options)
            driver.kernel = kernel
            driver.open()
            stack.callback(driver.close)
            return driver

        yield make


def wait_until_recorded(line: Gpio, edges: int) -> None:
    wait_until(lambda: line.latest() >= edges, f"{edges} edges are recorded")


def asked(kernel: FakeKernel, request: int) -> list[bytes]:
    return [data for each, data in kernel.asked if each == request]


def test_an_output_is_requested_as_it_is_read_and_driven_without_a_glitch(
    kernel: FakeKernel, opened: Opened
) -> None:
    opened(chip="/dev/gpiochip1", line=2, direction="output", consumer="bench desk")

    request = asked(kernel, GET_LINE)[0]
    assert struct.unpack_from("<2I", request) == (2, 0)
    assert request[256:288] == b"bench desk".ljust(32, b"\0")
    assert struct.unpack_from("<QI", request, 288) == (0, 0)
    assert struct.unpack_from("<IIi", request, 560) == (1, 1024, 0)
    assert asked(kernel, GET_VALUES) == [struct.pack("<QQ", 0, 1)]
    assert asked(kernel, SET_CONFIG) == [struct.pack("<QI20xIIQQ", OUTPUT, 1, 2, 0, 1, 1).ljust(272, b"\0")]
    assert kernel.lines["/dev/gpiochip1"][2].history == [1]


def test_driving_and_reading_are_one_call_each(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(chip="gpiochip0", line=0, direction="output", initial="inactive")
    kernel.asked.clear()

    line.set("active")
    assert line.get() == "active"
    line.set("inactive")

    assert kernel.asked == [
        (SET_VALUES, struct.pack("<QQ", 1, 1)),
        (GET_VALUES, struct.pack("<QQ", 0, 1)),
        (SET_VALUES, struct.pack("<QQ", 0, 1)),
    ]


def test_an_input_asks_for_both_edges_at_once(kernel: FakeKernel, opened: Opened) -> None:
    opened(chip="label of gpiochip1", line="READY", direction="input", active_low=True, bias="pull_up")

    assert struct.unpack_from("<Q", asked(kernel, GET_LINE)[0], 288) == (INPUT | ACTIVE_LOW | 0x30 | 0x100,)
    assert asked(kernel, SET_CONFIG) == []


@pytest.mark.parametrize(
    ("options", "bits"),
    [
        ({"drive": "open_drain", "active_low": True}, OUTPUT | OPEN_DRAIN | ACTIVE_LOW),
        ({"drive": "open_source", "bias": "pull_down"}, OUTPUT | 0x80 | 0x200),
        ({"bias": "disabled"}, OUTPUT | 0x400),
    ],
)
def test_drive_and_bias_are_flags(kernel: FakeKernel, opened: Opened, options: Any, bits: int) -> None:
    opened(line="RESET", direction="output", **options)

    assert kernel.lines["/dev/gpiochip0"][0].flags == bits


def test_active_low_turns_everything_around(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="RESET", direction="output", active_low=True, initial="inactive")
    wire = kernel.lines["/dev/gpiochip0"][0]
    assert wire.level == 1

    line.set("active")

    assert (wire.level, line.get()) == (0, "active")


@pytest.mark.parametrize(
    ("at_close", "left"), [("keep", (1, OUTPUT)), ("input", (1, INPUT)), ("inactive", (0, OUTPUT))]
)
def test_a_line_is_left_as_it_was_asked_for(kernel: FakeKernel, at_close: Any, left: tuple[int, int]) -> None:
    driver = Gpio(line="RESET", direction="output", at_close=at_close)
    driver.kernel = kernel
    driver.open()
    driver.set("active")
    driver.close()

    line = kernel.lines["/dev/gpiochip0"][0]
    assert (line.level, line.flags) == left


WRONG: dict[str, tuple[dict[str, Any], type[LabError], str]] = {
    "no chip": ({"chip": "/dev/gpiochip9", "line": 0}, Unreachable, "/dev/gpiochip9 is not there"),
    "no line": (
        {"chip": "gpiochip0", "line": 3},
        Unreachable,
        "/dev/gpiochip0 \\(label of gpiochip0\\) has no line 3: it has 3, from 0",
    ),
    "no name": (
        {"line": "RSET"},
        Unreachable,
        "no line 'RSET' of any GPIO chip; the chips are: /dev/gpiochip0 \\(label of gpiochip0, 3 lines\\), ",
    ),
    "no label": ({"chip": "pinctrl", "line": 0}, Unreachable, "there is no line 0 of pinctrl; the chips are"),
    "a name of two lines": (
        {"line": "TWICE"},
        LabError,
        "is not one line but several: line 2 \\(TWICE\\) of /dev/gpiochip0, line 1 \\(TWICE\\) of /dev/gpiochip1",
    ),
    "a line of somebody else": (
        {"chip": "gpiochip0", "line": 1},
        LabError,
        'line 1 of /dev/gpiochip0 is used by "the kernel\'s led"',
    ),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("kind", [Gpio, GpioPower])
def test_a_line_that_cannot_be_had_is_named(opened: Opened, case: str, kind: Any) -> None:
    options, error, message = WRONG[case]
    more = {"direction": "output"} if kind is Gpio else {}

    with pytest.raises(error, match=message) as caught:
        opened(kind, **options, **more)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("request_number", "number", "error", "message"),
    [
        (GET_CHIPINFO, errno.ENOTTY, Unsupported, "/dev/gpiochip0 cannot do that: Inappropriate ioctl"),
        (GET_LINEINFO, errno.ENODEV, Unreachable, "/dev/gpiochip0 is not there: No such device"),
        (GET_LINE, errno.EACCES, LabError, "line 0 \\(RESET\\) of /dev/gpiochip0 may not be opened"),
        (SET_CONFIG, errno.EINVAL, Unsupported, "line 0 \\(RESET\\) of /dev/gpiochip0 cannot do that"),
        (GET_VALUES, errno.EIO, LabError, "line 0 \\(RESET\\) of /dev/gpiochip0 failed: Input/output error"),
    ],
)
def test_an_error_of_the_kernel_is_told_with_the_line(
    kernel: FakeKernel, opened: Opened, request_number: int, number: int, error: Any, message: str
) -> None:
    kernel.fails[request_number] = number

    with pytest.raises(error, match=message) as caught:
        opened(chip="gpiochip0", line=0, direction="output")
    assert type(caught.value) is error


def test_every_chip_that_is_opened_is_told_to_policies(kernel: FakeKernel) -> None:
    def nodes(**options: Any) -> tuple[str, ...]:
        driver = Gpio(direction="input", **options)
        driver.kernel = kernel
        return driver.needs().nodes

    assert nodes(chip="/dev/gpiochip7", line=0) == ("/dev/gpiochip7",)
    assert nodes(chip="gpiochip1", line=0) == ("/dev/gpiochip1",)
    assert nodes(chip="label of gpiochip0", line=0) == ("/dev/gpiochip0", "/dev/gpiochip1")
    assert nodes(line="READY") == ("/dev/gpiochip0", "/dev/gpiochip1")


def test_an_input_cannot_be_driven_and_an_output_has_no_edges(opened: Opened) -> None:
    with pytest.raises(Unsupported, match="line 0 \\(READY\\) of /dev/gpiochip1 is an input"):
        GpioSet(value="active", gpio=opened(line="READY", direction="input")).run(StepContext())
    with pytest.raises(Unsupported, match="line 0 \\(RESET\\) of /dev/gpiochip0 is an output"):
        GpioExpect(during=LONG, gpio=opened(line="RESET", direction="output")).run(StepContext())


def test_setting_reads_before_and_after(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="RESET", direction="output")
    module = GpioSet(value="active", gpio=line)

    assert module.predict(StepContext(gpio="reset")) == "would drive 'reset' active: it is inactive"
    done = module.run(StepContext())
    assert (done.previous, done.value) == ("inactive", "active")
    assert module.predict(StepContext(gpio="reset")) == "'reset' is active already: nothing would change"
    assert GpioRead(gpio=line).run(StepContext()).value == "active"


def test_a_line_that_something_else_holds_is_an_error(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="RESET", direction="output")
    kernel.lines["/dev/gpiochip0"][0].held = 0

    with pytest.raises(
        LabError, match="'reset' on bench 'bench' .* still reads inactive after it was driven active"
    ):
        GpioSet(value="active", gpio=line).run(StepContext(gpio="reset"))
    assert GpioSet(value="active", verify=False, gpio=line).run(StepContext()).value == "inactive"


def test_pulses_come_back_to_rest_whatever_happens(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="RESET", direction="output", active_low=True, initial="inactive")
    wire = kernel.lines["/dev/gpiochip0"][0]
    context = StepContext()

    done = GpioPulse(width=Duration("20ms"), gap=Duration("30ms"), count=3, gpio=line).run(context)

    assert (done.rests, done.edges) == ("inactive", 6)
    assert wire.history == [1, 0, 1, 0, 1, 0, 1]
    assert context.slept == [0.02, 0.03, 0.02, 0.03, 0.02]
    context.cancel_at_check = context._checks
    with pytest.raises(Cancelled):
        GpioPulse(gpio=line).run(context)
    assert wire.history[-2:] == [0, 1]


def test_a_state_is_waited_for(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    assert GpioWait(state="inactive", gpio=line).run(StepContext()).events == ()

    changing = threading.Thread(target=change, args=(wire, 1, 0, 1))
    changing.start()
    waited = GpioWait(state="active", within=LONG, gpio=line).run(StepContext())
    changing.join()

    assert [each.edge for each in waited.events] in ([], ["rising"])
    assert GpioWait(state="active", gpio=line).run(StepContext()).elapsed == 0


def test_edges_are_counted_with_the_times_of_the_kernel(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    now = time.monotonic()
    change(wire, 1, 0, 1, 0, 1, at=now + 100, apart=0.25)

    waited = GpioWait(edge="rising", count=3, since="last", within=LONG, gpio=line).run(StepContext())

    assert [round(each.time - now, 6) for each in waited.events] == [100.0, 100.5, 101.0]
    assert [each.number for each in waited.events] == [1, 3, 5]
    change(wire, 0, 1)
    again = GpioWait(edge="both", count=2, since="last", within=LONG, gpio=line).run(StepContext())
    assert [each.edge for each in again.events] == ["falling", "rising"]


def test_an_edge_that_does_not_come_is_told_with_what_came(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    change(wire, 1, 0)
    wait_until_recorded(line, 2)

    with pytest.raises(
        TimedOut, match="'ready' .* had 1 of 2 edges \\(rising\\) within 50ms: it is inactive"
    ):
        GpioWait(edge="rising", count=2, since="last", within=Duration("50ms"), gpio=line).run(
            StepContext(gpio="ready")
        )
    with pytest.raises(TimedOut, match="did not become active within 50ms: it is inactive"):
        GpioWait(state="active", within=Duration("50ms"), gpio=line).run(StepContext(gpio="ready"))


def test_waiting_ends_when_the_step_is_stopped(opened: Opened) -> None:
    line, context = opened(line="READY", direction="input"), PlainContext()
    stopping = threading.Timer(0.05, context.cancel)
    stopping.start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        GpioWait(state="active", within=LONG, gpio=line).run(context)
    assert time.monotonic() - began < LONG / 2
    stopping.join()


def test_too_few_and_too_many_edges_fail(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    with pytest.raises(Failed, match="'heart' .* had 0 rising edges, expected at least 1 within 50ms"):
        GpioExpect(during=Duration("50ms"), edge="rising", at_least=1, gpio=line).run(
            StepContext(gpio="heart")
        )

    def blink() -> None:
        while listening.is_alive():
            change(wire, 1 - wire.level)

    told: list[Failed] = []

    def listen() -> None:
        try:
            GpioExpect(during=LONG, at_most=3, gpio=line).run(StepContext(gpio="heart"))
        except Failed as error:
            told.append(error)

    listening = threading.Thread(target=listen)
    listening.start()
    blink()
    listening.join()
    assert "had 4 edges, expected at most 3 within 1m" in told[0].message


def test_a_frequency_is_that_of_the_kernels_times(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    change(wire, *(1, 0) * 5, at=time.monotonic() - 10, apart=0.05)
    wait_until_recorded(line, 10)

    module = GpioExpect(during=Duration("50ms"), edge="rising", since="last", gpio=line)
    found = module.run(StepContext())

    assert found.count == 5
    assert found.frequency == pytest.approx(10)
    assert (found.shortest, found.longest) == (pytest.approx(0.1), pytest.approx(0.1))
    assert GpioExpect(during=Duration("50ms"), since="last", gpio=line).run(StepContext()).count == 0


def test_edges_that_the_kernel_lost_are_an_error(kernel: FakeKernel, opened: Opened) -> None:
    line, wire = opened(line="READY", direction="input"), kernel.lines["/dev/gpiochip1"][0]
    change(wire, 1, lost=7)

    with pytest.raises(LabError, match="line 0 \\(READY\\) of /dev/gpiochip1: the kernel lost 7 edges"):
        GpioWait(edge="rising", since="last", within=LONG, gpio=line).run(StepContext())


def test_edges_that_were_forgotten_are_an_error(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="READY", direction="input", record=2)
    change(kernel.lines["/dev/gpiochip1"][0], 1, 0, 1, 0, 1)
    wait_until_recorded(line, 5)

    with pytest.raises(LabError, match="3 edges after number 0 are lost from the record"):
        GpioWait(edge="rising", since="last", within=LONG, gpio=line).run(StepContext())


def test_a_chip_that_is_gone_is_an_error(kernel: FakeKernel, opened: Opened) -> None:
    line = opened(line="READY", direction="input")
    kernel.close()

    with pytest.raises(LabError, match="line 0 \\(READY\\) of /dev/gpiochip1: its chip has gone"):
        GpioWait(edge="rising", within=LONG, gpio=line).run(StepContext())
