"""An inventory becomes hosts, benches and groups, or all that is wrong with it is told in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.shelf import Lab, Shelf

from runner.api.values import Duration
from runner.document import plain
from runner.errors import InputError, Location
from runner.inventory.read import default_inventory, find_inventory, read_inventory
from runner.model import UNBOUND
from runner.registry import Registry

WHOLE = """\
hosts:
  shelf1: {address: shelf1.lab, user: hil}
benches:
  rpi4-[01:03]:
    host: shelf1
    labels: {board: rpi4, rev: 1.10, has-can: }
    vars: {shell_prompt: "# "}
    devices:
      board: {driver: board}
      plug: {driver: plug, address: 10.0.0.9, outlet: "{{ bench.index }}", delay: 2s}
      main: {ref: board.power}
    recover: [ctrl_c, quarantine]
    on_acquire: [{power_off: }]
    max_hold: 2h
  spare:
    enabled: {reason: fan dead, by: ana}
groups:
  arm64: {benches: ["rpi4-[01:02]", spare], vars: {arch: arm64}}
vars: {image_dir: images}
"""


def test_a_bench_is_read_with_all_that_is_written(lab: Lab) -> None:
    inventory = lab.read(WHOLE)

    assert list(inventory.benches) == ["rpi4-01", "rpi4-02", "rpi4-03", "spare"]
    bench = inventory.benches["rpi4-02"]
    assert (bench.index, bench.host.name, bench.groups) == (2, "shelf1", ("arm64",))
    assert bench.labels == {"board": "rpi4", "rev": "1.10", "has-can": ""}
    assert bench.at == Location("lab.yaml", 4, 3, 12)
    assert bench.max_hold == Duration("2h")
    assert [node and plain(node) for node in (bench.recover, bench.on_acquire, bench.on_release)] == [
        ["ctrl_c", "quarantine"],
        [{"power_off": None}],
        None,
    ]
    assert inventory.groups == {"arm64": ("rpi4-01", "rpi4-02", "spare")}
    assert inventory.paths == (str(lab.folder / "lab.yaml"),)


def test_options_are_typed_and_templates_wait(lab: Lab) -> None:
    devices = lab.read(WHOLE).benches["rpi4-01"].devices

    plug = devices["plug"]
    assert plug.driver is not None
    assert plug.driver.name == "plug"
    assert {name: bound.value for name, bound in plug.options.items()} == {
        "address": "10.0.0.9",
        "outlet": UNBOUND,
        "delay": Duration(2),
    }
    assert isinstance(plug.options["delay"].value, Duration)
    assert (devices["main"].ref, devices["main"].driver) == ("board.power", None)


def test_benches_of_a_range_share_what_was_read(lab: Lab) -> None:
    benches = lab.read(WHOLE).benches

    assert benches["rpi4-01"].devices["plug"] is benches["rpi4-03"].devices["plug"]


def test_a_bench_can_be_out_of_service_with_the_reason(lab: Lab) -> None:
    benches = lab.read(WHOLE).benches

    assert benches["spare"].out_of_service == "fan dead (ana)"
    assert benches["rpi4-01"].out_of_service == ""


def test_localhost_needs_no_entry_and_is_the_default(lab: Lab) -> None:
    inventory = lab.read("benches: {a: {}, b: {host: localhost}}")

    assert [bench.host.local for bench in inventory.benches.values()] == [True, True]
    assert list(inventory.hosts) == ["localhost"]


def test_everything_that_is_wrong_is_told_in_one_pass(lab: Lab) -> None:
    text = """\
hosts:
  shelf1: {adress: x}
benches:
  rpi4-[04:01]: {}
  rpi4:
    hots: shelf1
    host: shelf2
    labels: {site: [es]}
    devices:
      power: {driver: plgu}
      plug: {driver: plug, outlet: 9}
      main: {ref: plgu.power}
      1st: {driver: board}
    max_hold: long
    enabled: false
groups:
  arm: {benches: [rpi5], groups: [amr]}
vars: {shell-prompt: x, bench: y}
group: {}
"""
    found = lab.faults(text)

    assert [(fault.code, fault.at.line if fault.at else 0) for fault in found] == [
        ("E231", 2),
        ("E404", 4),
        ("E403", 6),
        ("E414", 7),
        ("E402", 8),
        ("E410", 10),
        ("E232", 11),
        ("E234", 11),
        ("E412", 12),
        ("E405", 13),
        ("E402", 14),
        ("E402", 15),
        ("E415", 17),
        ("E415", 17),
        ("E405", 18),
        ("E405", 18),
        ("E403", 19),
    ]
    hints = {fault.message: fault.hint for fault in found}
    assert hints["a bench has no key 'hots'"] == "did you mean 'host'?"
    assert hints["no host 'shelf2'"] == "did you mean 'shelf1'?"
    assert hints["no driver 'plgu'"] == "did you mean 'plug'?"
    assert hints["no group 'amr'"] == "did you mean 'arm'?"
    assert hints["there is no device 'plgu' for 'main'"] == "did you mean 'plug'?"
    assert hints["an inventory has no key 'group'"] == "did you mean 'groups'?"
    assert hints["'shell-prompt' cannot be the name of a variable"] == "write shell_prompt"


def test_what_a_range_shares_is_told_once(lab: Lab) -> None:
    text = "benches:\n  b-[01:99]:\n    host: nowhere\n    devices: {p: {driver: plug, adress: x}}\n"

    assert [fault.code for fault in lab.faults(text)] == ["E414", "E232", "E231"]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("- a", "E402", "an inventory must be a mapping, got a list"),
        ("benches: [a]", "E402", "benches must be a mapping, got a list"),
        ("benches: {a: b}", "E402", "bench 'a' must be a mapping, got 'b'"),
        ("benches: {all: {}}", "E405", "'all' cannot be the name of a bench"),
        ("benches: {a b: {}}", "E405", "'a b' cannot be the name of a bench"),
        ("benches: {a: {labels: {in: x}}}", "E405", "'in' cannot be the name of a label"),
        ("benches: {a: {host: '{{ x }}'}}", "E418", "host cannot hold a template"),
        ("benches: {a: {labels: {b: '{{ x }}'}}}", "E418", "label 'b' cannot hold a template"),
        ("benches: {a: {enabled: {by: ana}}}", "E417", "a bench that is out of service needs a reason"),
        ("benches: {a: {enabled: {reason: }}}", "E402", "reason must be text, got nothing"),
        ("benches: {a: {enabled: {why: x, reason: y}}}", "E403", "enabled has no key 'why'"),
        (
            "benches: {a: {enabled: 1}}",
            "E402",
            "enabled must be true, or a mapping that says why not, got '1'",
        ),
        ("benches: {a: {max_hold: '{{ x }}'}}", "E402", "max_hold must be a duration, got '{{ x }}'"),
        ("benches: {a: {max_hold: true}}", "E402", "max_hold must be a duration, got 'true'"),
        (
            "benches: {a: {devices: {b: board}}}",
            "E402",
            "device 'b' must be a mapping with a driver or ref, got 'board'",
        ),
        ("benches: {a: {devices: {b: {drivr: board}}}}", "E411", "device 'b' has no driver"),
        ("benches: {a: {devices: {b: {driver: '{{ x }}'}}}}", "E418", "driver cannot hold a template"),
        ("benches: {a: {devices: {b: {driver: [x]}}}}", "E402", "driver must be text, got a list"),
        ("benches: {a: {devices: {b.c: {driver: board}}}}", "E405", "'b.c' cannot be the name of a device"),
        ("benches: {a: {labels: {b: }}, b: {}}", "E406", "'b' is a bench and a label of bench 'a'"),
        ("benches: {a: {}}\ngroups: {a: {}}", "E406", "'a' is a bench and a group"),
        ("benches: {a: {labels: {g: }}}\ngroups: {g: {}}", "E406", "'g' is a group and a label of bench 'a'"),
        ("benches: {a: {boards: x}}", "E403", "a bench has no key 'boards'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(lab: Lab, text: str, code: str, message: str) -> None:
    fault = lab.fault(text)

    assert (fault.code, fault.message) == (code, message)
    assert fault.at is not None


def test_a_missing_file_is_told_with_its_path(lab: Lab) -> None:
    assert lab.fault("", "gone.yaml").message == "no such file: gone.yaml"


def test_nothing_is_read_without_a_path() -> None:
    with pytest.raises(InputError, match="no inventory is given"):
        read_inventory((), Shelf())


def test_the_default_is_one_simulated_bench_here() -> None:
    inventory = default_inventory(Registry.built_in())

    (bench,) = inventory.benches.values()
    driver = bench.devices["board"].driver
    assert (bench.name, bench.host.local, inventory.paths) == ("sim", True, ())
    assert driver is not None
    assert driver.simulated


def test_the_nearest_inventory_folder_with_files_is_found(tmp_path: Path) -> None:
    for folder in ("inventory", "a/inventory", "a/b/inventory", "a/b/c"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "inventory/lab.yaml").touch()
    (tmp_path / "a/inventory/lab.yml").touch()
    (tmp_path / "a/b/inventory/README.md").touch()

    assert find_inventory(str(tmp_path / "a/b/c/recipe.yaml")) == (str(tmp_path / "a/inventory"),)
    assert find_inventory(str(tmp_path / "recipe.yaml")) == (str(tmp_path / "inventory"),)
