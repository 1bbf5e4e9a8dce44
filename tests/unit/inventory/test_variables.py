"""Variables are layered: the inventory, groups from parent to part, the bench; files beside count as well."""

from __future__ import annotations

import pytest
from support.shelf import Lab

from runner.document import plain
from runner.inventory.variables import bench_names
from runner.model import Inventory


def layers(inventory: Inventory, bench: str, name: str) -> list[tuple[str, object]]:
    return [
        (each.layer, plain(each.node)) for each in inventory.benches[bench].variables if each.name == name
    ]


NESTED = """\
benches: {a: {vars: {x: bench}}, b: {}, c: {}}
groups:
  part: {benches: [a, b], vars: {x: part}}
  whole: {groups: [part], benches: [c], vars: {x: whole}}
  everything: {groups: [whole], vars: {x: everything}}
vars: {x: inventory}
"""


def test_layers_rise_from_the_inventory_over_groups_to_the_bench(lab: Lab) -> None:
    inventory = lab.read(NESTED)

    assert layers(inventory, "a", "x") == [
        ("inventory vars", "inventory"),
        ("group everything", "everything"),
        ("group whole", "whole"),
        ("group part", "part"),
        ("bench a", "bench"),
    ]
    assert layers(inventory, "c", "x")[-1] == ("group whole", "whole")
    assert inventory.groups == {"everything": ("a", "b", "c"), "whole": ("a", "b", "c"), "part": ("a", "b")}


def test_files_beside_count_more_than_what_is_written_inside(lab: Lab) -> None:
    lab.write("group_vars/all.yaml", "x: all file")
    lab.write("group_vars/part.yml", "x: part file")
    lab.write("group_vars/whole/1.yaml", "x: first")
    lab.write("group_vars/whole/2.yaml", "x: second")
    lab.write("bench_vars/a.json", '{"x": "bench file"}')

    inventory = lab.read(NESTED)
    assert layers(inventory, "a", "x") == [
        ("inventory vars", "inventory"),
        ("inventory vars", "all file"),
        ("group everything", "everything"),
        ("group whole", "whole"),
        ("group whole", "first"),
        ("group whole", "second"),
        ("group part", "part"),
        ("group part", "part file"),
        ("bench a", "bench"),
        ("bench a", "bench file"),
    ]


def test_a_file_for_nobody_is_refused(lab: Lab) -> None:
    lab.write("group_vars/prat.yaml", "x: 1")
    lab.write("group_vars/part", "x: 1")
    lab.write("group_vars/README.md", "about")
    lab.write("bench_vars/d.yaml", "x: 1")

    assert [(fault.message, fault.hint) for fault in lab.faults(NESTED)] == [
        ("group_vars/part is not read", "call it part.yaml"),
        ("group_vars/prat.yaml is for no group of the inventory", "did you mean 'part'?"),
        ("bench_vars/d.yaml is for no bench of the inventory", ""),
    ]


def test_files_for_the_benches_of_another_inventory_of_the_folder_are_left_alone(lab: Lab) -> None:
    lab.write("bench_vars/d.yaml", "x: 1")
    lab.write("other.yaml", "benches: {d: {}}")

    assert "d" not in lab.read(NESTED).benches


def test_a_folder_of_inventories_has_its_files_inside(lab: Lab) -> None:
    lab.write("inventory/lab.yaml", "benches: {a: {}}")
    lab.write("inventory/bench_vars/a.yaml", "x: 1")

    assert layers(lab.read("", "inventory"), "a", "x") == [("bench a", 1)]


def test_a_broken_file_of_variables_is_told_with_the_rest(lab: Lab) -> None:
    lab.write("group_vars/all.yaml", "[1]")
    lab.write("bench_vars/a.yaml", "x: {{ y }}")

    assert [fault.code for fault in lab.faults(NESTED)] == ["E101", "E402"]


def test_unrelated_groups_may_not_disagree(lab: Lab) -> None:
    text = """\
benches: {a: {}, b: {}}
groups:
  arm64: {benches: [a, b], vars: {tty: ttyS0, same: 1}}
  es:    {benches: [a, b], vars: {tty: ttyS1, same: 1}}
"""
    fault = lab.fault(text)

    assert fault.code == "E416"
    assert fault.message == (
        "group arm64 and group es give bench 'a' different values of 'tty': 'ttyS0' and 'ttyS1'"
    )
    assert (str(fault.at), [str(at) for _, at in fault.chain]) == ("lab.yaml:4:40", ["lab.yaml:3:40"])


@pytest.mark.parametrize("given", ["1", "true", '"1"', "[1]"])
def test_values_of_different_kinds_disagree(lab: Lab, given: str) -> None:
    text = f"benches: {{a: {{}}}}\ngroups: {{g: {{benches: a, vars: {{x: {given}}}}}, h: {{benches: a, vars: {{x: 1.0}}}}}}"

    assert lab.fault(text).code == "E416"


def test_the_bench_or_a_common_part_settles_a_disagreement(lab: Lab) -> None:
    text = """\
benches: {a: {vars: {x: 3}}, b: {}}
groups:
  g: {benches: [a], groups: [both], vars: {x: 1}}
  h: {benches: [a], groups: [both], vars: {x: 2}}
  both: {benches: [b], vars: {x: 4}}
"""
    inventory = lab.read(text)

    assert layers(inventory, "a", "x")[-1] == ("bench a", 3)
    assert layers(inventory, "b", "x")[-1] == ("group both", 4)


def test_a_secret_is_not_shown_in_a_disagreement(lab: Lab) -> None:
    text = (
        "benches: {a: {}}\ngroups: {g: {benches: a, vars: {x: !secret abc}}, h: {benches: a, vars: {x: 2}}}"
    )

    assert lab.fault(text).message.endswith("different values of 'x': a secret and 2")


def test_groups_cannot_be_part_of_themselves(lab: Lab) -> None:
    text = "benches: {a: {}}\ngroups:\n  g: {groups: [h]}\n  h: {groups: [i]}\n  i: {groups: [g]}\n  j: {groups: [g]}\n"
    fault = lab.fault(text)

    assert (fault.code, fault.message) == (
        "E413",
        "groups are part of one another in a circle: g → h → i → g",
    )


def test_members_are_names_ranges_and_globs(lab: Lab) -> None:
    text = 'benches: {"a-[1:3]": {}, b: {}}\ngroups: {g: {benches: ["a-[2:3]", b]}, h: {benches: "a-*"}}'

    assert lab.read(text).groups == {"g": ("a-2", "a-3", "b"), "h": ("a-1", "a-2", "a-3")}


@pytest.mark.parametrize(
    ("member", "code", "message"),
    [
        ("c", "E415", "no bench 'c'"),
        ("a-[3:4]", "E415", "no bench 'a-4'"),
        ("c-*", "E415", "no bench is called 'c-*'"),
        ("a-[3:1]", "E404", "the range [3:1] counts downward"),
        ("{{ x }}", "E418", "a group's benches cannot hold a template"),
    ],
)
def test_members_that_are_not_there_are_told(lab: Lab, member: str, code: str, message: str) -> None:
    fault = lab.fault(f'benches: {{"a-[1:3]": {{}}}}\ngroups: {{g: {{benches: "{member}"}}}}')

    assert (fault.code, fault.message) == (code, message)


def test_templates_see_name_index_host_labels_groups_and_devices(lab: Lab) -> None:
    text = "benches: {b-[02:03]: {labels: {rev: A}, devices: {d: {driver: board}, p: {ref: d.power}}}}\n"
    text = 'benches:\n  "b-[02:03]": {labels: {rev: A}, devices: {d: {driver: board}, p: {ref: d.power}}}\n'

    assert bench_names(lab.read(text).benches["b-03"]) == {
        "name": "b-03",
        "index": 3,
        "host": "localhost",
        "labels": {"rev": "A"},
        "groups": (),
        "devices": {"d": {"driver": "board"}, "p": {"ref": "d.power"}},
    }
