"""An alias leads to a device of its bench, or to a part that its driver has."""

from __future__ import annotations

import pytest
from support.shelf import Lab


def devices(**written: str) -> str:
    lines = [f"      {name}: {text}" for name, text in written.items()]
    return "benches:\n  a:\n    devices:\n" + "\n".join(lines)


def test_an_alias_may_lead_to_an_alias_and_to_parts_of_one(lab: Lab) -> None:
    text = devices(board="{driver: board}", one="{ref: board}", two="{ref: one.power}", three="{ref: two}")

    assert [each.ref for each in lab.read(text).benches["a"].devices.values()] == [
        "",
        "board",
        "one.power",
        "two",
    ]


@pytest.mark.parametrize(
    ("ref", "message", "hint"),
    [
        ("bord", "there is no device 'bord' for 'x'", "did you mean 'board'?"),
        ("bord.power", "there is no device 'bord' for 'x'", "did you mean 'board'?"),
        ("zzz", "there is no device 'zzz' for 'x'", "its bench has: board, plug, x"),
        ("board.powr", "device 'board' has no part 'powr' for 'x'", "did you mean 'power'?"),
        ("board.can", "device 'board' has no part 'can' for 'x'", "it has: power, storage"),
        ("board.power.on", "device 'board' has no part 'power.on' for 'x'", "did you mean 'power'?"),
        ("plug.power", "device 'plug' has no part 'power' for 'x'", "it has no parts"),
    ],
)
def test_an_alias_that_leads_nowhere_is_told_with_what_there_is(
    lab: Lab, ref: str, message: str, hint: str
) -> None:
    fault = lab.fault(
        devices(board="{driver: board}", plug="{driver: plug, address: x}", x=f"{{ref: {ref}}}")
    )

    assert (fault.code, fault.message, fault.hint) == ("E412", message, hint)


def test_a_part_of_an_alias_is_a_part_of_what_it_stands_for(lab: Lab) -> None:
    fault = lab.fault(devices(board="{driver: board}", one="{ref: board}", x="{ref: one.powr}"))

    assert fault.message == "device 'board' has no part 'powr' for 'x'"


def test_a_circle_is_told_once(lab: Lab) -> None:
    fault = lab.fault(devices(a="{ref: b}", b="{ref: c.power}", c="{ref: a}", d="{ref: a}"))

    assert (fault.code, fault.message) == (
        "E413",
        "aliases lead to one another in a circle: a → b → c → a",
    )


def test_nothing_stands_beside_a_ref(lab: Lab) -> None:
    fault = lab.fault(devices(board="{driver: board}", x="{ref: board, driver: board}"))

    assert (fault.code, fault.message) == ("E411", "'driver' cannot stand beside 'ref'")


def test_an_alias_of_a_broken_device_is_not_blamed(lab: Lab) -> None:
    assert lab.fault(devices(board="{driver: bord}", x="{ref: board.power}")).code == "E410"
