import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from runner.agent.bench import Bench
from runner.agent.calls import Configure, DeviceSpec, Heard, Opened, Said
from runner.agent.consoles import Feed
from runner.agent.credit import Credit
from runner.agent.instrument import children_of, listens
from runner.agent.outbox import Outbox
from runner.agent.paths import paths_in, resolved
from runner.agent.stop import Stop
from runner.api import Cancelled, Driver, LabError, Power, RecipeFault, arg, child, device
from runner.console import Chunk, Console, ConsoleSettings, Stream

HERE = __name__


class Plug(Driver, Power):
    """A plug that notes what is done with it."""

    events: ClassVar[list[str]] = []
    name: str = arg(help="which")
    fails: bool = arg(default=False, help="whether it opens")

    def open(self) -> None:
        self.events.append(f"open {self.name}")
        if self.fails:
            raise LabError(f"{self.name} is not there")

    def close(self) -> None:
        self.events.append(f"close {self.name}")

    def on(self) -> None: ...

    def off(self) -> None: ...


class Slow(Plug):
    """A plug that opens when the test lets it."""

    gate: ClassVar[threading.Event] = threading.Event()

    def open(self) -> None:
        self.gate.wait(60)
        super().open()


class Extension(Plug):
    """A plug that hangs on another one."""

    upstream: Power = device(help="where it gets its power")

    def open(self) -> None:
        assert isinstance(self.upstream, Plug)
        self.events.append(f"{self.name} hangs on {self.upstream.name}")


class Port(Console):
    """A console that says one thing when it is started."""

    settings = ConsoleSettings()

    def connect(self) -> Stream:
        raise AssertionError("nobody opens this port")

    def start(self, record: Callable[[Chunk], None], name: str, **_: Any) -> None:
        Plug.events.append(f"start {name}")
        record(Chunk(index=0, monotonic_ns=1, wall_ns=2, data=b"hello"))

    def stop(self) -> None:
        Plug.events.append("stop")

    def power_lost(self) -> None:
        Plug.events.append("power lost")


class Board(Plug):
    """A plug and a console in one box."""

    @child
    def console(self) -> Port:
        return Port()


class Loose(Port):
    """A console whose cable may be out."""

    plugged: ClassVar[bool] = False

    def start(self, record: Callable[[Chunk], None], name: str, **_: Any) -> None:
        if not self.plugged:
            raise LabError(f"{name} is not plugged in")
        super().start(record, name)


class Harness(Plug):
    """A plug and a console whose cable is out."""

    @child
    def console(self) -> Loose:
        return Loose()


@dataclass
class Told:
    """What a call heard."""

    heard: list[Heard] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)


@pytest.fixture
def told() -> Told:
    Plug.events.clear()
    return Told()


def bench(
    devices: dict[str, tuple[str, dict[str, Any]]],
    aliases: dict[str, str] | None = None,
    begun: list[str] | None = None,
) -> Bench:
    specs = {
        name: DeviceSpec(cls.lower(), f"{HERE}:{cls}", options) for name, (cls, options) in devices.items()
    }
    outbox = Outbox(lambda _data: None)

    def begin(owner: str, device: str) -> Feed:
        if begun is not None:
            begun.append(f"{owner} {device}")
        return Feed(1, outbox, Credit(), name=f"{owner} {device}")

    return Bench(Configure(bench="b", devices=specs, aliases=aliases or {}), begin)


def test_aliases_are_followed_with_what_comes_after_the_dot() -> None:
    aliases = {"console": "mux.console", "mux": "board"}
    assert resolved("console", aliases) == "board.console"
    assert resolved("mux.power", aliases) == "board.power"
    assert resolved("board.power", aliases) == "board.power"


def test_an_alias_of_itself_is_refused() -> None:
    with pytest.raises(RecipeFault, match="alias of itself"):
        resolved("a", {"a": "b", "b": "a"})


def test_every_path_of_every_slot_counts() -> None:
    assert list(paths_in({"power": "p", "all": ["a", "b"], "none": None})) == ["p", "a", "b"]


def test_devices_are_opened_when_needed_once_and_closed_in_reverse(told: Told) -> None:
    it = bench({"a": ("Plug", {"name": "a"}), "b": ("Plug", {"name": "b"}), "c": ("Plug", {"name": "c"})})
    first = it.devices({"power": "b"}, told.heard.append, told.stop)
    again = it.devices({"all": ["a", "b"], "none": None}, told.heard.append, told.stop)
    assert again["all"][1] is first["power"]
    assert again["none"] is None
    assert it.close() == []
    assert Plug.events == ["open b", "open a", "close a", "close b"]
    assert [(each.device, each.driver) for each in told.heard if isinstance(each, Opened)] == [
        ("b", "plug"),
        ("a", "plug"),
    ]


def test_a_device_that_works_through_another_is_opened_after_it_and_closed_before(told: Told) -> None:
    specs = {
        "far": DeviceSpec("extension", f"{HERE}:Extension", {"name": "far"}, {"upstream": "near"}),
        "near": DeviceSpec("plug", f"{HERE}:Plug", {"name": "near"}),
    }
    outbox = Outbox(lambda _data: None)
    it = Bench(
        Configure(bench="b", devices=specs), lambda _owner, _device: Feed(1, outbox, Credit(), name="")
    )

    it.devices({"power": "far"}, told.heard.append, told.stop)
    it.close()

    assert Plug.events == ["open near", "far hangs on near", "close far", "close near"]


def test_open_consoles_learn_that_the_power_goes_and_none_is_opened_for_it(told: Told) -> None:
    it = bench({"board": ("Board", {"name": "board"})})
    it.power_lost()
    assert Plug.events == []

    it.devices({"power": "board"}, told.heard.append, told.stop)
    it.power_lost()
    assert Plug.events[-1] == "power lost"


def test_consoles_are_opened_with_the_first_step_that_needs_any_device(told: Told) -> None:
    it = bench(
        {"plug": ("Plug", {"name": "plug"}), "board": ("Board", {"name": "board"})},
        {"console": "board.console"},
    )
    it.devices({}, told.heard.append, told.stop)
    assert Plug.events == []
    it.devices({"power": "plug"}, told.heard.append, told.stop)
    assert Plug.events == ["open board", "start board.console", "open plug"]
    assert isinstance(it.devices({"console": "console"}, told.heard.append, told.stop)["console"], Port)
    it.close()
    assert Plug.events[3:] == ["close plug", "stop", "close board"]


def test_a_console_that_is_not_there_is_a_warning_to_those_who_do_not_need_it(told: Told) -> None:
    it = bench({"board": ("Board", {"name": "board", "fails": True}), "plug": ("Plug", {"name": "plug"})})
    it.devices({"power": "plug"}, told.heard.append, told.stop)
    assert Said("board is not listened to: board is not there", "warning") in told.heard
    with pytest.raises(LabError, match="board is not there"):
        it.devices({"console": "board.console"}, told.heard.append, told.stop)


def test_a_step_that_needs_a_console_fails_when_it_is_not_there(told: Told) -> None:
    it = bench({"board": ("Board", {"name": "board", "fails": True})})
    with pytest.raises(LabError, match="board is not there"):
        it.devices({"console": "board.console"}, told.heard.append, told.stop)
    assert Plug.events == ["open board"]


def test_a_box_without_its_consoles_cable_is_used_and_the_console_tried_when_it_is_asked_for(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    it = bench({"box": ("Harness", {"name": "box"})}, begun=begun)
    power = it.devices({"power": "box"}, told.heard.append, told.stop)["power"]
    assert [each for each in told.heard if isinstance(each, Said)] == [
        Said("box.console is not listened to: box.console is not plugged in", "warning")
    ]
    with pytest.raises(LabError, match="box.console is not plugged in"):
        it.devices({"console": "box.console"}, told.heard.append, told.stop)
    it.power_lost()
    assert it.feeds({}) == []
    monkeypatch.setattr(Loose, "plugged", True)
    found = it.devices({"power": "box", "console": "box.console"}, told.heard.append, told.stop)
    assert found["power"] is power
    it.power_lost()
    assert len(it.feeds({})) == 1
    assert begun == ["b box.console"]
    it.close()
    assert Plug.events == ["open box", "start box.console", "power lost", "stop", "close box"]


def test_a_step_that_needs_the_console_of_a_box_without_its_cable_opens_nothing(told: Told) -> None:
    it = bench({"box": ("Harness", {"name": "box"})})
    with pytest.raises(LabError, match="box.console is not plugged in"):
        it.devices({"power": "box", "consoles": ["box.console"]}, told.heard.append, told.stop)
    assert Plug.events == ["open box", "close box"]
    assert it.feeds({}) == []


def test_what_a_step_can_do_without_is_given_when_it_is_open(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = bench(
        {
            "box": ("Harness", {"name": "box"}),
            "gone": ("Board", {"name": "gone", "fails": True}),
            "board": ("Board", {"name": "board"}),
        }
    )
    every = {"power": "box", "consoles": ["box.console", "gone.console", "board.console"]}

    def consoles(*spare: str) -> list[str]:
        found = it.devices(every, told.heard.append, told.stop, spare)["consoles"]
        return [type(each).__name__ for each in found]

    assert consoles("consoles") == ["Port"]
    assert {each.text for each in told.heard if isinstance(each, Said)} == {
        "box.console is not listened to: box.console is not plugged in",
        "gone is not listened to: gone is not there",
    }
    with pytest.raises(LabError, match="box.console is not plugged in"):
        consoles()
    monkeypatch.setattr(Loose, "plugged", True)
    with pytest.raises(LabError, match="gone is not there"):
        consoles()
    assert consoles("consoles") == ["Loose", "Port"]


def test_a_device_that_did_not_open_is_tried_again_and_not_closed(told: Told) -> None:
    it = bench({"plug": ("Plug", {"name": "plug", "fails": True})})
    for _ in range(2):
        with pytest.raises(LabError):
            it.devices({"power": "plug"}, told.heard.append, told.stop)
    it.close()
    assert Plug.events == ["open plug", "open plug"]


def test_many_calls_at_once_open_a_device_once(told: Told) -> None:
    it, got = bench({"plug": ("Slow", {"name": "plug"})}), []

    def use() -> None:
        got.append(it.devices({"power": "plug"}, told.heard.append, told.stop)["power"])

    threads = [threading.Thread(target=use) for _ in range(20)]
    for thread in threads:
        thread.start()
    Slow.gate.set()
    for thread in threads:
        thread.join(60)
    assert len(got) == 20
    assert len(set(map(id, got))) == 1
    assert Plug.events == ["open plug"]


def test_who_waits_for_somebody_elses_opening_can_be_stopped(told: Told) -> None:
    it = bench({"plug": ("Plug", {"name": "plug"})})
    it._opening.add("plug")
    threading.Thread(target=told.stop.tell, args=("Ctrl-C",)).start()
    with pytest.raises(Cancelled, match="Ctrl-C"):
        it.devices({"power": "plug"}, told.heard.append, told.stop)


@pytest.mark.parametrize(
    ("path", "message"), [("nothing", "has no device 'nothing'"), ("board.wings", "has no part 'wings'")]
)
def test_a_device_or_part_that_is_not_there_is_named(told: Told, path: str, message: str) -> None:
    it = bench({"board": ("Board", {"name": "board"})})
    with pytest.raises(RecipeFault, match=message):
        it.devices({"power": path}, told.heard.append, told.stop)


def test_an_option_that_the_driver_does_not_have_is_named(told: Told) -> None:
    it = bench({"plug": ("Plug", {"name": "x", "colour": "red"})})
    with pytest.raises(RecipeFault, match="Plug has no argument 'colour'"):
        it.devices({"power": "plug"}, told.heard.append, told.stop)


def test_one_device_that_does_not_close_does_not_keep_the_others_open(told: Told) -> None:
    it = bench({"a": ("Plug", {"name": "a"}), "b": ("Plug", {"name": "b"})})
    stuck = it.devices({"all": ["a", "b"]}, told.heard.append, told.stop)["all"][1]
    stuck.events = None
    problems = it.close()
    assert [type(each) for each in problems] == [AttributeError]
    assert Plug.events == ["open a", "open b", "close a"]


def test_children_and_consoles_are_seen_without_opening_anything() -> None:
    assert list(children_of(Board)) == ["console"]
    assert (listens(Board), listens(Plug)) == (True, False)
