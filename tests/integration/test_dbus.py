"""D-Bus: a real message bus, and a lamp on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.command import runner
from support.message_bus import LAMP, PATH, Lamp, message_bus
from support.plain_context import PlainContext

from runner.api import Cancelled, Duration, Failed, LabError, RecipeFault, TimedOut, Unreachable
from runner.modules.dbus.dbus import Dbus
from runner.modules.dbus.dbus_call import Called, DbusCall
from runner.modules.dbus.dbus_get import DbusGet
from runner.modules.dbus.dbus_set import DbusSet
from runner.modules.dbus.dbus_wait_signal import DbusWaitSignal, SignalHeard
from runner.modules.dbus.values import Typed, to_bus

pytestmark = pytest.mark.peer("dbus-daemon")
PATIENT = Duration("30s")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with message_bus(tmp_path_factory.mktemp("bus")) as it:
        yield it


@pytest.fixture(scope="module")
def lamp(address: str) -> Iterator[Lamp]:
    it = Lamp(address)
    yield it
    it.close()


@pytest.fixture
def bus(address: str, lamp: Lamp) -> Iterator[Dbus]:
    lamp.brightness = 7
    it = Dbus(bus=address)
    it.open()
    yield it
    it.close()


def call(bus: Dbus, method: str, *args: Any, **more: Any) -> Called:
    given = {"service": LAMP, "path": PATH, "interface": LAMP, "timeout": PATIENT, **more}
    return DbusCall(method=method, args=list(args), bus=bus, **given).run(PlainContext())


def wait(bus: Dbus, member: str, **more: Any) -> SignalHeard:
    return DbusWaitSignal(member=member, bus=bus, **{"within": PATIENT, **more}).run(PlainContext())


def setting(bus: Dbus, value: Any, name: str = "Brightness", **more: Any) -> DbusSet:
    return DbusSet(service=LAMP, path=PATH, interface=LAMP, property=name, value=value, bus=bus, **more)


def test_a_method_is_called_with_the_types_that_it_names_itself(bus: Dbus) -> None:
    called = call(bus, "Blink", 3, ["red", "green"])

    assert called.value == "3 times red/green"
    assert called.reply == ("3 times red/green",)


@pytest.mark.parametrize(
    ("signature", "value"),
    [
        ("(sa{sv})", ["a", {"b": [1, 2], "c": True}]),
        ("a(iy)", [[-1, 255], [2, 0]]),
        ("x", 2**40),
        ("d", 1.5),
        ("ay", b"\x00\xff"),
        ("av", [1, "two", [3.0]]),
        ("o", "/a/b"),
    ],
)
def test_values_of_every_shape_come_back_as_they_were(bus: Dbus, signature: str, value: Any) -> None:
    reply = bus.call(
        LAMP,
        PATH,
        LAMP,
        "Echo",
        signature="v",
        args=[Typed(signature, to_bus(signature, value))],
        timeout=30.0,
    )

    assert reply == (value,)


def test_a_call_that_only_reads_is_made_under_check(tmp_path: Path, bus: Dbus, address: str) -> None:
    (tmp_path / "lab.yaml").write_text(
        f"benches: {{desk: {{devices: {{bus: {{driver: dbus, bus: '{address}'}}}}}}}}\n", encoding="utf-8"
    )
    step = f"dbus_call: {{service: {LAMP}, path: {PATH}, interface: {LAMP}, method: Blink, args: [2, [red]]"
    (tmp_path / "recipe.yaml").write_text(
        f"steps:\n  - {step}, read_only: true}}\n    register: said\n"
        f'  - log: "it said {{{{ said.value }}}}"\n  - {step}}}\n',
        encoding="utf-8",
    )
    done = runner(
        tmp_path,
        "play",
        "recipe.yaml",
        "-i",
        "lab.yaml",
        "--check",
        "-v",
        RUNNER_LOCKS=str(tmp_path / "locks"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "it said 2 times red" in done.stdout
    assert done.stdout.count("info desk: would run dbus_call") == 1


def test_the_tools_of_the_bus_see_the_same(bus: Dbus, address: str) -> None:
    setting(bus, 42).run(PlainContext())
    seen = subprocess.run(
        ["busctl", f"--address={address}", "get-property", LAMP, PATH, LAMP, "Brightness"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout

    assert seen == "y 42\n"


def test_properties_are_read_one_and_all(bus: Dbus) -> None:
    get = DbusGet(service=LAMP, path=PATH, interface=LAMP, bus=bus).run(PlainContext())
    one = DbusGet(service=LAMP, path=PATH, interface=LAMP, property="Brightness", bus=bus).run(PlainContext())

    assert get.values == {"Brightness": 7, "Names": {"short": "lamp", "number": 3}}
    assert one.value == 7


def test_a_property_is_written_with_its_own_type_and_read_back(bus: Dbus, lamp: Lamp) -> None:
    written = setting(bus, 80).run(PlainContext())

    assert (written.before, written.value, written.changed) == (7, 80, True)
    assert lamp.brightness == 80
    assert setting(bus, 80).predict(PlainContext()) == "would leave Brightness as it is: 80"
    assert setting(bus, 81).predict(PlainContext()) == "would set Brightness from 80 to 81"
    assert lamp.brightness == 80


# --- signals -------------------------------------------------------------------------------------


def test_a_signal_that_comes_before_the_step_that_waits_for_it_is_found(bus: Dbus) -> None:
    call(bus, "Blink", 2, ["blue"])
    heard = wait(bus, "Blinked", interface=LAMP, path=PATH, args={0: 2})

    assert heard.args == (2, "blue")
    assert heard.signal.sender.startswith(":")


def test_a_signal_of_an_earlier_call_is_not_taken_for_that_of_the_last(bus: Dbus) -> None:
    call(bus, "Blink", 2, ["blue"])
    wait(bus, "Blinked")
    call(bus, "Echo", 1)
    with pytest.raises(TimedOut, match=r"no signal \*\.Blinked within 100ms"):
        wait(bus, "Blinked", within=Duration("100ms"))
    assert wait(bus, "Blinked", since="start").args == (2, "blue")


def test_other_signals_are_passed_over(bus: Dbus, lamp: Lamp) -> None:
    bus.connect()
    lamp.signal("Hummed", "u", 1)
    lamp.signal("Blinked", "us", 1, "red")

    assert wait(bus, "Blinked", since="start").args == (1, "red")
    with pytest.raises(TimedOut):
        wait(bus, "Blinked", since="start", path="/another", within=Duration("50ms"))


def test_what_came_instead_is_shown(bus: Dbus) -> None:
    call(bus, "Blink", 2, ["blue"])
    wait(bus, "Blinked")
    with pytest.raises(TimedOut) as caught:
        wait(bus, "Blinked", args={0: 3}, within=Duration("50ms"))
    assert caught.value.evidence["others"] == [f"{LAMP}.Blinked [2, 'blue']"]


def test_more_signals_than_are_kept_are_an_error_and_not_silently_forgotten(address: str, lamp: Lamp) -> None:
    small = Dbus(bus=address, record=4)
    small.open()
    small.connect()
    for number in range(10):
        lamp.signal("Counted", "u", number)
    small.signals().next(8, 30.0, PlainContext(), lambda each: each.args == (9,))
    with pytest.raises(LabError, match="of what came are no longer kept"):
        wait(small, "Never", since="start")
    small.close()


def test_a_cancel_ends_the_wait(bus: Dbus) -> None:
    context = PlainContext()
    context.cancel()
    with pytest.raises(Cancelled):
        DbusWaitSignal(member="Never", bus=bus, within=PATIENT).run(context)


# --- what goes wrong -----------------------------------------------------------------------------


def test_an_error_of_the_service_fails_with_its_name(bus: Dbus) -> None:
    with pytest.raises(
        Failed, match=rf"{LAMP}.Fail of {LAMP}{PATH}: {LAMP}.Error.Burnt: the lamp has burnt out"
    ):
        call(bus, "Fail")


def test_a_service_that_does_not_answer_is_told_with_the_limit(bus: Dbus) -> None:
    with pytest.raises(TimedOut, match=r"Sleep of .* has not answered within 0.2s"):
        call(bus, "Sleep", timeout=Duration("200ms"))


def test_a_service_that_is_not_there_is_named(bus: Dbus) -> None:
    with pytest.raises(Failed, match="org.freedesktop.DBus.Error.ServiceUnknown"):
        call(bus, "Blink", service="com.example.Nobody", signature="")


@pytest.mark.parametrize(
    ("method", "args", "more", "said"),
    [
        ("Blnik", [1, []], {}, "has no method 'Blnik'"),
        ("Blink", [1, []], {"interface": "com.example.Lmap"}, "has no interface 'com.example.Lmap'"),
        ("Blink", ["one", []], {}, "'one' does not fit the type 'u'"),
        ("Blink", [1], {}, "1 arguments do not fit the signature 'uas', which has 2"),
        ("Blink", [1, "red"], {}, "'red' is no list, which 'as' is"),
        ("Blink", [1, []], {"signature": "u("}, "is no signature of D-Bus"),
    ],
)
def test_what_does_not_fit_is_a_fault_of_the_recipe(
    bus: Dbus, method: str, args: list[Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeFault) as caught:
        call(bus, method, *args, **more)
    assert said in caught.value.message


def test_a_bus_that_is_not_there_is_unreachable_with_its_address(tmp_path: Path) -> None:
    gone = Dbus(bus=f"unix:path={tmp_path}/nothing")
    gone.open()
    with pytest.raises(Unreachable, match=r"D-Bus unix:path=.*/nothing: cannot connect"):
        call(gone, "Blink")
    gone.close()


def test_a_call_that_is_under_way_when_the_bus_ends_is_told_at_once(tmp_path: Path) -> None:
    with ExitStack() as running:
        address = running.enter_context(message_bus(tmp_path))
        lamp = Lamp(address)
        lamp.asleep = running.close
        lost = Dbus(bus=address)
        lost.open()
        try:
            with pytest.raises(LabError, match="the connection was lost"):
                call(lost, "Sleep")
        finally:
            lost.close()
            if lamp.sleeper is not None:
                lamp.sleeper.join()
            lamp.close()


def test_a_bus_that_ends_is_told(tmp_path: Path) -> None:
    with message_bus(tmp_path) as address:
        lost = Dbus(bus=address)
        lost.open()
        lost.connect()
    with pytest.raises(LabError, match="the connection was lost"):
        call(lost, "Fail")
    lost.close()
