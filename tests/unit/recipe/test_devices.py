"""Which device a module gets, and what is said when that is not clear."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from support.benches import bench, driver

from runner.declaration import DriverType
from runner.errors import InputError
from runner.model import Recipe, Use
from runner.recipe.devices import resolve_devices

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]

BOARD = driver(children={"power": "Power", "console": "Console"})
PLUG = driver("Power")
CARD = driver("Storage")
CAN = driver("CanBus")


def use(read: Read, line: str) -> Use:
    """Return the use of the only step."""
    what = read(f"steps:\n  - {line}\n").plays[0].tests[0].steps[0].what
    assert isinstance(what, Use)
    return what


@pytest.mark.parametrize(
    ("line", "devices", "found"),
    [
        ("try_cycle:", {"board": BOARD}, {"power": "board.power"}),
        ("try_cycle:", {"plug": PLUG, "card": CARD}, {"power": "plug"}),
        ("try_cycle: {device: plug}", {"plug": PLUG, "board": BOARD}, {"power": "plug"}),
        ("try_cycle: {device: board}", {"plug": PLUG, "board": BOARD}, {"power": "board.power"}),
        ("try_cycle: {power: board.power}", {"plug": PLUG, "board": BOARD}, {"power": "board.power"}),
        (
            "try_cycle: {device: main}",
            {"main": "board.power", "board": BOARD, "plug": PLUG},
            {"power": "board.power"},
        ),
        (
            "try_cycle: {device: main.power}",
            {"main": "board", "board": BOARD, "plug": PLUG},
            {"power": "board.power"},
        ),
        ("try_cycle:", {"main": "plug", "plug": PLUG}, {"power": "plug"}),
        ("try_copy: {source: a, target: b}", {"a": CARD, "b": CARD}, {"source": "a", "target": "b"}),
        ("try_all:", {"a": CAN, "b": CAN}, {"buses": ("a", "b"), "power": None}),
        ("try_all: {buses: b}", {"a": CAN, "b": CAN, "p": PLUG}, {"buses": ("b",), "power": "p"}),
        ("try_all: {buses: [b, a]}", {"a": CAN, "b": CAN}, {"buses": ("b", "a"), "power": None}),
        ("try_all:", {}, {"buses": (), "power": None}),
    ],
)
def test_a_device_is_found(
    read: Read, line: str, devices: Mapping[str, DriverType | str], found: Mapping[str, object]
) -> None:
    assert resolve_devices(use(read, line), bench(devices=devices)) == found


def test_a_rendered_name_is_used(read: Read) -> None:
    asked = use(read, 'try_cycle: {device: "{{ bench.name }}"}')

    assert resolve_devices(asked, bench(devices={"p1": PLUG, "p2": PLUG}), {"device": "p2"}) == {
        "power": "p2"
    }


@pytest.mark.parametrize(
    ("line", "devices", "told"),
    [
        (
            "try_cycle:",
            {"card": CARD},
            "2:5+9 E271 try_cycle: bench 'b1' has no device that offers Power | its devices: card (Storage)",
        ),
        (
            "try_cycle:",
            {"plug": PLUG, "board": BOARD},
            (
                "2:5+9 E272 try_cycle: bench 'b1' has 2 devices that offer Power "
                "| say which: device: plug or device: board.power"
            ),
        ),
        (
            "try_copy: {source: a}",
            {"a": CARD, "b": CARD},
            (
                "2:5+8 E272 try_copy: bench 'b1' has 2 devices that offer Storage "
                "| say which: target: a or target: b"
            ),
        ),
        (
            "try_cycle: {device: plg}",
            {"plug": PLUG},
            "2:25+3 E273 try_cycle: bench 'b1' has no device 'plg' | did you mean 'plug'?",
        ),
        (
            "try_cycle: {device: card}",
            {"plug": PLUG, "card": CARD},
            "2:25+4 E273 try_cycle: device 'card' of bench 'b1' does not offer Power | these do: plug",
        ),
        (
            "try_cycle: {device: board.pwer}",
            {"board": BOARD},
            "2:25+10 E273 try_cycle: device 'board' of bench 'b1' has no part 'pwer' | did you mean 'power'?",
        ),
    ],
)
def test_a_device_that_is_not_clear_is_told_before_the_run(
    checked: Say, line: str, devices: Mapping[str, DriverType | str], told: str
) -> None:
    assert checked(f"steps:\n  - {line}\n", benches=(bench(devices=devices),)) == [f"recipe.yaml:{told}"]


NET = driver("Network")


@pytest.mark.parametrize("to", ["web", "main", "box.lan", "8080", "web:80", "/web", "{{ bench.name }}"])
def test_what_leads_to_an_address_or_a_device_of_the_network_is_right(checked: Say, to: str) -> None:
    devices = {"web": NET, "main": "web", "box": driver(children={"lan": "Network"})}

    assert checked(f'steps:\n  - try_lead: "{to}"\n', benches=(bench(devices=devices),)) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("try_lead: wbe", "2:15+3 E273 try_lead: bench 'b2' has no device 'wbe' | did you mean 'web'?"),
        (
            "try_lead: {to: plug}",
            "2:20+4 E273 try_lead: device 'plug' of bench 'b2' does not offer Network | these do: web",
        ),
    ],
)
def test_what_leads_to_a_device_that_a_bench_does_not_have_is_told_before_the_run(
    checked: Say, line: str, told: str
) -> None:
    benches = (
        bench("b1", devices={"wbe": NET, "plug": NET}),
        bench("b2", devices={"web": NET, "plug": PLUG}),
    )

    assert checked(f"steps:\n  - {line}\n", benches=benches) == [f"recipe.yaml:{told}"]


def test_every_bench_is_asked(checked: Say) -> None:
    benches = (bench("b1", devices={"p": PLUG}), bench("b2", devices={}))

    assert checked("steps:\n  - try_cycle:\n", benches=benches) == [
        "recipe.yaml:2:5+9 E271 try_cycle: bench 'b2' has no device that offers Power | its devices: none"
    ]


def test_a_condition_may_keep_benches_out_that_lack_the_device(checked: Say) -> None:
    benches = (bench("b1", devices={"p": PLUG}), bench("b2", devices={}))

    assert checked("steps:\n  - try_cycle:\n    when: bench.name == 'b1'\n", benches=benches) == []


def test_another_bench_is_asked_for_its_own_devices(checked: Say) -> None:
    benches = (bench("b1", devices={"p": PLUG}), bench("b2", devices={"p": PLUG, "q": PLUG}))
    text = "steps:\n  - try_cycle: {device: q}\n    bench: b2\n  - try_log: x\n    bench: b3\n"

    assert checked(text, benches=benches) == [
        "recipe.yaml:5:12+2 E275 bench 'b3' is not one of this play's | they are: b1, b2"
    ]


def test_devices_of_an_action_are_checked_where_it_is_called(checked: Say) -> None:
    told = checked(
        "import: lib.yaml\nsteps: [{off: }]\n",
        benches=(bench(devices={}),),
        lib="actions: {off: {steps: [{try_cycle: }]}}",
    )

    assert told == [
        (
            "lib.yaml:1:26+9 E271 try_cycle: bench 'b1' has no device that offers Power | its devices: none"
            " | action 'off' is called recipe.yaml:2:10"
        )
    ]


def test_the_engine_is_told_the_same(read: Read) -> None:
    with pytest.raises(InputError, match="has no device that offers Power"):
        resolve_devices(use(read, "try_cycle:"), bench(devices={}))
