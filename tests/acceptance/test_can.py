"""CAN as a person meets it: verbs, databases, logs, and what is refused before anything runs."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import can
import pytest
from support.command import runner

SUPPORT = Path(__file__).resolve().parents[1] / "support" / "can"
BENCH = f"desk-{uuid.uuid4().hex[:8]}"
"""Nobody else's on this machine."""
LAB = """
benches:
  BENCH:
    devices:
      can0: {driver: can, interface: virtual, channel: drive, log: asc}
      can1: {driver: can, interface: virtual, channel: drive, log: blf, database: car.dbc}
      can2: {driver: can, interface: virtual, channel: body, log: none}
      can3: {driver: can, interface: virtual, channel: body, fd: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab.yaml").write_text(LAB.replace("BENCH", BENCH), encoding="utf-8")
    for name in ("car.dbc", "car.kcd"):
        shutil.copy(SUPPORT / name, tmp_path / name)
    return tmp_path


def artifacts(folder: Path) -> Path:
    return folder / "results" / "latest" / "artifacts" / BENCH


RECIPE = """
name: CAN
benches: all
tests:
  - test: frames
    steps:
      - can_send: {device: can0, id: 0x123, data: "01 02 03"}
      - can_expect: {device: can1, id: 0x123, data: "01 ?? 03", since: start, capture: {x: 1..2, y: 2..1}, within: 30s}
        expect: [result.captured.x == 0x0203, result.captured.y == 0x0302]
      - can_send: {device: can0, frames: [{id: 0x10, data: [1]}, {id: 0x11, remote: true, dlc: 4}, {id: 0x1234}], count: 2}
        expect: result.sent == 6
      - can_expect: {device: can1, frames: [{id: 0x1234}, {id: 0x10}], order: false, since: start, within: 30s}
      - can_expect: {device: can1, frames: [{id: 0x10, data: "01"}, {id: 0x1234}, {id: 0x11}], since: start, within: 30s}
      - can_expect: {device: can1, frames: [{id: 0x1234}, {id: 0x1234}, {id: 0x10}], since: start, within: 50ms}
        expect_error: {class: timeout, match: "no frame 0x10 within 50ms after 2 of 3"}
      - can_expect: {device: can1, id: 0x123, data: "F1 02 03", data_mask: "0F FF FF", since: start, within: 30s}
      - can_expect: {device: can1, id: 0x123, since: start, absent: true, within: 50ms}
        expect_error: {class: assertion, match: must not come}
  - test: answers
    steps:
      - can_send: {device: can1, id: 0x1}
      - can_send: {device: can0, id: 0x2, data: "AA"}
      - can_expect: {device: can1, id: 0x2, within: 30s}
        expect: result.latency >= 0
        measure: {latency: {value: result.latency, unit: s, max: 60}}
      - can_mark: {name: here, device: can1}
      - can_expect: {device: can1, id: 0x2, after_mark: here, within: 50ms, absent: true}
      - can_expect: {device: can1, id: 0x2, after_mark: there, within: 30s}
        expect_error: {class: bad_argument, match: no mark 'there'}
  - test: signals
    steps:
      - can_send: {device: can1, message: EngineData, signals: {rpm: 900 rpm, temperature: 20}}
      - can_expect: {device: can0, id: 0x100, data: "10 0E 3C 00 00 00 00 00", since: start, within: 30s}
      - can_send: {device: can0, id: 0x200, data: "02 00"}
      - can_expect: {device: can1, message: Command, signals: {mode: sport}, since: start, within: 30s}
        expect: result.signals.mode == 'sport'
      - can_send: {device: can0, id: 0x100, data: "80 0C 3C 03 00 00 00 00"}
      - can_expect:
          device: can1
          message: EngineData
          signals: {rpm: {min: 799, max: 801, unit: rpm}, gear: 3}
          since: start
          within: 30s
        expect: [result.signals.rpm == 800, result.signals.temperature == 20]
      - can_expect: {device: can1, message: EngineData, signals: {rpm: {min: 7000}}, since: start, within: 50ms}
        expect_error: {class: timeout, match: "rpm is 800.0 rpm, expected at least 7000"}
      - can_send: {device: can0, database: car.kcd, message: EngineData, signals: {rpm: 1000}}
      - can_expect: {device: can1, message: EngineData, signals: {rpm: 1000}, since: start, within: 30s}
      - can_send: {device: can0, id: 0x18FF1200, data: "00 64 00 00 00 00 00 00"}
      - can_expect: {device: can1, message: Wheels, signals: {left: 1}, since: start, within: 30s}
  - test: beside the steps
    steps:
      - can_periodic: {device: can0, id: 0x55, data: "AA", period: 5ms, name: beat}
        expect: result.changed
      - can_periodic: {device: can0, id: 0x55, data: "AA", period: 5ms, name: beat}
        expect: not result.changed
      - can_expect: {device: can1, id: 0x55, count: 10, since: now, within: 30s}
        expect: result.rate > 1
      - can_periodic: {device: can0, id: 0x55, data: "AB", period: 5ms, name: beat}
      - can_expect: {device: can1, id: 0x55, data: "AB", since: now, within: 30s}
      - can_info: {device: can0}
        expect: ["'periodic beat' in result.tasks", result.sent > 10, result.state == 'active']
      - can_relay: {bus: can1, to: can2, filters: [{id: 0x55}]}
      - can_expect: {device: can3, id: 0x55, since: now, within: 30s}
      - can_record: {device: can1, duration: 30s, count: 5, file: part.log}
        expect: [result.count == 5, result.rate > 0]
      - can_relay: {bus: can1, to: can2, state: stopped}
        expect: [result.changed, result.carried > 0]
      - can_periodic: {device: can0, name: beat, state: stopped}
        expect: [result.changed, result.sent > 1]
      - can_periodic: {device: can0, state: stopped}
        expect: not result.changed
      - can_periodic: {device: can0, id: 0x56, period: 5ms}
      - can_state: {device: can0, flush_tx: true}
        expect_error: {class: unsupported, match: cannot empty the transmit queue of CAN bus virtual drive}
  - test: logs
    steps:
      - can_replay: {device: can2, file: drive.log, speed: 5}
        expect: [result.sent == 3, result.elapsed >= 0.04]
      - can_expect: {device: can3, frames: [{id: 0x1}, {id: 0x2}, {id: 0x12345}], since: start, within: 30s}
      - can_filter: {device: can3, filters: [{id: 0x2}]}
      - can_mark: {device: can3, name: quiet}
      - can_replay: {device: can2, file: drive.log, speed: 1000, filters: [{id: 0x1}, {id: 0x2}]}
        expect: result.sent == 2
      - can_expect: {device: can3, id: 0x2, after_mark: quiet, within: 30s}
      - can_expect: {device: can3, id: 0x1, after_mark: quiet, absent: true, within: 1ms}
      - can_filter: {device: can3}
  - test: fails
    steps:
      - can_send: {device: can2, id: 0x7FE, data: "0F"}
      - can_expect: {device: can3, id: 0x7FF, within: 20ms}
"""


def test_every_verb_does_what_it_says(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "drive.log").write_text(
        "(10.000000) can0 001#01\n(10.100000) can0 002#02\n(10.200000) can0 00012345#0A0B\n", encoding="utf-8"
    )

    done = runner(folder, "play", "-i", "lab.yaml", "recipe.yaml")

    results = json.loads((folder / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    assert {
        case["case"].partition("::")[2].partition("@")[0]: case["outcome"] for case in results["cases"]
    } == {
        "frames": "passed",
        "answers": "passed",
        "signals": "passed",
        "beside the steps": "passed",
        "logs": "passed",
        "fails": "failed",
    }, done.stdout
    assert done.returncode == 1
    assert {each.name for each in artifacts(folder).iterdir()} == {
        "can0.asc",
        "can1.blf",
        "can3.log",
        "part.log",
    }
    with can.LogReader(artifacts(folder) / "can0.asc") as log:
        both = list(log)
    with can.LogReader(artifacts(folder) / "can1.blf") as log:
        other = list(log)
    assert [each.arbitration_id for each in both if not each.is_rx][:3] == [0x123, 0x10, 0x11]
    shared = [  # the periodic frames went on until can0 was closed, after can1
        [(each.arbitration_id, each.is_rx is ours) for each in log if each.arbitration_id != 0x56]
        for log, ours in ((both, True), (other, False))
    ]
    assert sorted(shared[0]) == sorted(shared[1])
    with can.LogReader(artifacts(folder) / "can3.log") as log:
        assert list(log)[-1].arbitration_id == 0x7FE
    with can.LogReader(artifacts(folder) / "part.log") as log:
        assert len(list(log)) == 5
    assert set(results["artifacts"]) >= {f"artifacts/{BENCH}/can0.asc"}


def test_each_play_leaves_a_log_of_its_own(folder: Path) -> None:
    play = "- benches: all\n  steps:\n    - can_send: {device: can0, id: 0x%d}\n"
    (folder / "recipe.yaml").write_text(play % 1 + play % 2, encoding="utf-8")

    done = runner(folder, "play", "-i", "lab.yaml", "recipe.yaml")

    assert done.returncode == 0, done.stdout
    for name, identifier in (("can0.asc", 1), ("can0-2.asc", 2)):
        with can.LogReader(artifacts(folder) / name) as log:
            assert [each.arbitration_id for each in log] == [identifier]


REFUSED = [
    ('can_send: {device: can0, id: 0x123, data: "00 01 02 03 04 05 06 07 08"}', '"00 01', "can_send: a CAN frame cannot hold 9 bytes: 0x123"),
    ("can_send: {device: can0, id: 0x800, extended: false}", "0x800", "can_send: 0x800 is no standard CAN identifier"),
    ("can_send: {device: can0, id: 1, fd: true}", "true}", "can_send: the bus is no CAN FD bus"),
    ("can_send: {device: can0, frames: [{id: 1}, {id: 2, remote: true, data: [1]}]}", "[1]}]", "can_send: frames: a remote frame carries no data: 0x2"),
    ("can_send: {device: can0, id: 1, frames: [{id: 2}]}", "[{id: 2}]", "can_send: frames stands beside id"),
    ("can_send: {device: can0}", "can_send", "can_send: nothing to send"),
    ("can_send: {device: can1, message: EnginData}", "EnginData", "can_send: no message 'EnginData' in car.dbc"),
    ("can_send: {device: can1, message: EngineData, signals: {rpn: 900}}", "900}", "can_send: no signal 'rpn' in message EngineData of car.dbc"),
    ("can_send: {device: can1, message: EngineData, signals: {rpm: 9000}}", "9000", "can_send: rpm: 9000 rpm is not from 0 to 8000 rpm"),
    ("can_send: {device: can1, message: EngineData, signals: {rpm: 15 Hz}}", "15 Hz", "can_send: signal rpm is in rpm, not Hz"),
    ("can_send: {device: can1, message: Command, signals: {mode: sprot}}", "sprot", "can_send: signal mode has no value 'sprot'"),
    ("can_send: {device: can0, message: EngineData}", "EngineData", "can_send: there is no database for this bus"),
    ("can_expect: {device: can1, message: EngineData, signals: {rpm: {min: 1, unit: Hz}}}", "Hz}", "can_expect: signal rpm is in rpm, not Hz"),
    ("can_expect: {device: can1, id: 1, data: '01 02', data_mask: 'FF'}", "'FF'", "can_expect: data_mask has 1 bytes, data 2"),
    ("can_expect: {device: can1, id: 1, capture: {x: three}}", "three", "can_expect: 'three' is no range of bytes"),
    ("can_periodic: {device: can1, id: 1}", "can_periodic", "can_periodic: it needs a period of at least 100 us"),
    ("can_state: {device: can1}", "can_state", "can_state: it changes nothing"),
]  # fmt: skip
"""Steps, where each is wrong, and what is said of it."""


def test_what_cannot_be_is_refused_where_it_is_written(folder: Path) -> None:
    steps = "".join(f"  - {step}\n" for step, _, _ in REFUSED)
    (folder / "recipe.yaml").write_text(f"benches: all\nsteps:\n{steps}", encoding="utf-8")

    done = runner(folder, "check", "-i", "lab.yaml", "recipe.yaml")

    told = [line for line in done.stderr.splitlines() if line.startswith("recipe.yaml:")]
    assert [line.partition(": ")[0] for line in told] == [
        f"recipe.yaml:{line}:{len('  - ') + (0 if step.startswith(at) else step.rindex(at)) + 1}"
        for line, (step, at, _) in enumerate(REFUSED, start=3)
    ]
    assert [line.partition("]: ")[2] for line in told] == [message for _, _, message in REFUSED]
    assert "did you mean 'EngineData'?" in done.stderr
    assert "did you mean 'rpm'?" in done.stderr
    assert done.returncode == 2


def test_values_that_come_from_variables_are_refused_as_they_come(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(
        "benches: all\nvars: {bytes: '00 01 02 03 04 05 06 07 08', name: EnginData}\ntests:\n"
        "  - test: long\n    steps:\n      - can_send: {device: can0, id: 1, data: '{{ bytes }}'}\n"
        "  - test: unknown\n    steps:\n      - can_send: {device: can1, message: '{{ name }}'}\n"
        "  - test: both\n    steps:\n      - can_send: {device: can1, id: 1, rate: 5, period: '{{ bytes | length }}ms'}\n",
        encoding="utf-8",
    )

    done = runner(folder, "play", "-i", "lab.yaml", "recipe.yaml")

    assert "a CAN frame cannot hold 9 bytes: 0x1" in done.stdout
    assert "no message 'EnginData' in car.dbc" in done.stdout
    assert "period and rate say the same" in done.stdout
    assert "did you mean 'EngineData'?" in done.stdout
    assert done.returncode == 3


def test_a_device_that_cannot_be_is_refused_where_it_is_written(folder: Path) -> None:
    (folder / "broken.dbc").write_text("BO_ what\n", encoding="utf-8")
    devices = (
        ("interface: virtual, bitrate: 500000", "500000", "can: the interface virtual takes no bitrate"),
        ("interface: scoketcan, channel: can0", "scoketcan", "can: python-can has no interface 'scoketcan'"),
        ("interface: virtual, database: broken.dbc", "broken", "can: broken.dbc cannot be read: "),
    )
    lines = [f"      b{number}: {{driver: can, {device}}}" for number, (device, _, _) in enumerate(devices)]
    text = "\n".join(("benches:", f"  {BENCH}:", "    devices:", *lines, ""))
    (folder / "lab.yaml").write_text(text, encoding="utf-8")
    (folder / "recipe.yaml").write_text("benches: all\nsteps: [can_info: ]\n", encoding="utf-8")

    done = runner(folder, "check", "-i", "lab.yaml", "recipe.yaml")

    told = [line for line in done.stderr.splitlines() if line.startswith("lab.yaml:")]
    for number, (_, at, message) in enumerate(devices):
        place = f"lab.yaml:{number + 4}:{lines[number].index(at) + 1}: error[E235]: {message}"
        assert told[number].startswith(place), done.stderr
    assert done.returncode == 2
