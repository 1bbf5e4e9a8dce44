"""Files, folders and programs are put together; what comes later wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.shelf import Lab, Shelf

from runner.document import plain
from runner.errors import InputError
from runner.inventory.program import Printed
from runner.inventory.read import read_inventory
from runner.model import Inventory


def values(inventory: Inventory, bench: str) -> dict[str, object]:
    return {each.name: plain(each.node) for each in inventory.benches[bench].variables}


def test_a_folder_is_read_in_the_order_of_names(lab: Lab) -> None:
    lab.write("inventory/20-b.yml", "benches: {b: {}, a: {vars: {x: 2}}}")
    lab.write("inventory/10-a.yaml", "benches: {a: {vars: {x: 1, y: 1}}}")
    lab.write("inventory/30-c.json", '{"vars": {"z": 3}}')
    for ignored in (".hidden.yaml", "_old.yaml", "x.yaml~", "README.md"):
        lab.write(f"inventory/{ignored}", "benches: {wrong: {}}")

    inventory = lab.read("", "inventory")
    assert list(inventory.benches) == ["a", "b"]
    assert values(inventory, "a") == {"x": 2, "y": 1, "z": 3}


def test_a_folder_without_inventories_is_refused(lab: Lab) -> None:
    lab.write("inventory/README.md", "")

    assert lab.fault("", "inventory").message == "there is no inventory in inventory"


def test_of_several_paths_the_later_one_wins(lab: Lab) -> None:
    lab.write("a.yaml", "benches: {b: {labels: {x: 1, y: 1}, max_hold: 1h, devices: {d: {driver: board}}}}")
    lab.write("c.yaml", "benches: {b: {labels: {y: 2}, enabled: {reason: broken}, devices: {e: {ref: d}}}}")

    bench = lab.read("", "a.yaml", "c.yaml").benches["b"]
    assert (bench.labels, bench.out_of_service, list(bench.devices)) == (
        {"x": "1", "y": "2"},
        "broken",
        ["d", "e"],
    )
    assert str(bench.max_hold) == "1h"


def test_one_bench_of_a_range_can_be_said_more_of(lab: Lab) -> None:
    text = "benches:\n  b-[01:03]: {labels: {rev: A}}\n  b-02: {labels: {rev: B}, vars: }\n"

    inventory = lab.read(text)
    assert [(bench.index, bench.labels["rev"]) for bench in inventory.benches.values()] == [
        (1, "A"),
        (2, "B"),
        (3, "A"),
    ]


def test_a_device_that_is_written_again_is_replaced_as_a_whole(lab: Lab) -> None:
    lab.write("a.yaml", "benches: {b: {devices: {d: {driver: plug, address: x, outlet: 2}}}}")
    lab.write("c.yaml", "benches: {b: {devices: {d: {driver: plug, address: y}}}}")

    options = lab.read("", "a.yaml", "c.yaml").benches["b"].devices["d"].options
    assert {name: bound.value for name, bound in options.items()} == {"address": "y"}


def test_members_of_a_group_add_up(lab: Lab) -> None:
    lab.write("a.yaml", "benches: {a: {}, b: {}, c: {}}\ngroups: {g: {benches: [a]}}")
    lab.write("b.yaml", "groups: {g: {benches: b, vars: {x: 1}}}")

    inventory = lab.read("", "a.yaml", "b.yaml")
    assert inventory.groups == {"g": ("a", "b")}
    assert (values(inventory, "b"), values(inventory, "c")) == ({"x": 1}, {})


def test_faults_of_all_files_are_told_together(lab: Lab) -> None:
    lab.write("inventory/a.yaml", "benches: {a: {{ x }}}")
    lab.write("inventory/b.yaml", "a: 'x")

    assert [fault.at.path for fault in lab.faults("", "inventory") if fault.at] == [
        "inventory/a.yaml",
        "inventory/b.yaml",
    ]


# --- programs ------------------------------------------------------------------------------------


def program(lab: Lab, name: str = "lab.py") -> str:
    path = Path(lab.write(name, "#!/bin/false\n"))
    path.chmod(0o755)
    return str(path)


def printed(lab: Lab, output: str, status: int | None = 0, errors: str = "") -> Inventory:
    result = Printed(status, output.encode(), errors.encode())
    return read_inventory([program(lab)], Shelf(), run=lambda _path: result)


def test_a_program_prints_an_inventory_as_json(lab: Lab) -> None:
    text = "1 \x85 {{ y }} \u2028 \x7f\x9f\ufeff\uffff"
    data = {
        "benches": {"a-[1:2]": {"vars": {"x": text, "n": 1.5}}},
        "vars": {"emoji": "\U0001f600"},
    }

    for ascii_only in (True, False):
        inventory = printed(lab, json.dumps(data, ensure_ascii=ascii_only))
        assert list(inventory.benches) == ["a-1", "a-2"]
        assert values(inventory, "a-1") == {"x": text, "n": 1.5, "emoji": "\U0001f600"}


def test_a_fault_in_the_output_has_its_place_there(lab: Lab) -> None:
    with pytest.raises(InputError) as raised:
        printed(lab, '{"benches": {"a": {"hots": "x"}}}')

    (fault,) = raised.value.faults
    assert (fault.code, str(fault.at)) == ("E403", "lab.py (output):1:20")


def test_half_a_character_in_the_output_is_refused(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"the character U\+D83D is not allowed"):
        printed(lab, '{"vars": {"x": "\\ud83d"}}')


@pytest.mark.parametrize(
    ("output", "status", "errors", "message", "hint"),
    [
        (
            "",
            3,
            "no route to host\n",
            "inventory program lab.py ended with exit status 3, expected 0",
            "no route to host",
        ),
        ("", -9, "", "inventory program lab.py ended with signal 9, expected 0", ""),
        ("", None, "waiting", "inventory program lab.py did not end within 30s", "waiting"),
        (
            "benches: {}",
            0,
            "",
            "inventory program lab.py printed no JSON: Expecting value: line 1 column 1 (char 0)",
            "",
        ),
    ],
)
def test_a_program_that_fails_is_told_with_what_it_said(
    lab: Lab, output: str, status: int | None, errors: str, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as raised:
        printed(lab, output, status, errors)

    (fault,) = raised.value.faults
    assert (fault.code, fault.message) == ("E407", message)
    assert fault.hint == (f"it said: {hint}" if hint else "")


def test_a_program_that_says_too_much_is_cut(lab: Lab) -> None:
    with pytest.raises(InputError) as raised:
        printed(lab, "", 1, "x" * 10_000)

    assert len(raised.value.faults[0].hint) < 2100


def test_a_data_file_is_read_even_when_it_may_be_run(lab: Lab) -> None:
    Path(lab.write("lab.yaml", "benches: {a: {}}")).chmod(0o755)

    assert list(lab.read("", "lab.yaml").benches) == ["a"]


def test_a_program_in_a_folder_takes_its_turn(lab: Lab) -> None:
    lab.write("inventory/10.yaml", "benches: {a: {vars: {x: 1}}}")
    program(lab, "inventory/20.sh")
    result = Printed(0, b'{"benches": {"a": {"vars": {"x": 2}}}}', b"")

    inventory = read_inventory([str(lab.folder / "inventory")], Shelf(), run=lambda _path: result)
    assert values(inventory, "a") == {"x": 2}


def test_a_program_that_cannot_be_started_is_a_fault(lab: Lab) -> None:
    def broken(_path: str) -> Printed:
        raise OSError(8, "Exec format error")

    with pytest.raises(InputError, match=r"lab\.py cannot be started: Exec format error"):
        read_inventory([program(lab)], Shelf(), run=broken)
