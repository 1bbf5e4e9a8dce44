"""The starts of boards in the result and in the reports, made from the measures of steps."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from support.events import STARTED, begun, ended, finished, step_ended

from runner.agent.calls import Noted
from runner.engine.heard import Ear
from runner.fold import fold
from runner.report.colours import Paint
from runner.report.junit import JUnit
from runner.report.results_json import as_object
from runner.report.summary import text
from runner.result import Event, Measured


def step(**stages: float) -> Event:
    """Return a step at whose end these stages had been reached."""
    return step_ended(
        measures=tuple(
            Measured(name=name.replace("__", "."), value=seconds, unit="s")
            for name, seconds in stages.items()
        )
    )


def test_the_stages_of_a_start_come_together_from_several_steps() -> None:
    starts = fold(
        [
            step(boot__first_byte=0.1, boot__uboot=0.2),
            step(other=1.0),
            step(boot__kernel=1.5, boot__login=4.0),
            step(boot__first_byte=0.3),
            step(restart__uboot=0.5),
        ]
    ).starts["b"]

    assert [(each.kind, dict(each.stages)) for each in starts] == [
        ("boot", {"first_byte": 0.1, "uboot": 0.2, "kernel": 1.5, "login": 4.0}),
        ("boot", {"first_byte": 0.3}),
        ("restart", {"uboot": 0.5}),
    ]


def test_consoles_of_one_bench_have_their_own_starts() -> None:
    measures = (
        Measured(name="one.boot.first_byte", value=0.1),
        Measured(name="two.boot.first_byte", value=0.2),
        Measured(name="one.boot.kernel", value=0.3),
    )

    starts = fold([step_ended(measures=measures)]).starts["b"]

    assert [(each.console, dict(each.stages)) for each in starts] == [
        ("one", {"first_byte": 0.1, "kernel": 0.3}),
        ("two", {"first_byte": 0.2}),
    ]


def test_the_summary_tells_the_last_start_in_the_order_of_its_stages() -> None:
    events = [
        STARTED,
        step(boot__first_byte=9),
        step(boot__first_byte=0.1, boot__login=4, boot__spl=0.2),
        finished(),
    ]

    lines = text(fold(events), Paint(on=False)).splitlines()

    assert "boot of b: first byte 0.10 s, SPL 0.20 s, login 4.00 s (2 starts, this is the last)" in lines


def test_results_json_has_every_start() -> None:
    result = fold([STARTED, step(boot__kernel=1.5), finished()])

    starts = json.loads(json.dumps(as_object(result)))["starts"]

    assert starts == {"b": [{"kind": "boot", "console": "", "kernel": 1.5}]}


def test_a_suite_of_junit_has_the_last_start_as_properties(tmp_path: Path) -> None:
    report = JUnit(tmp_path)
    for event in (
        STARTED,
        step(boot__kernel=9.0),
        begun(),
        step(boot__first_byte=0.1, boot__kernel=1.5),
        ended(),
    ):
        report.hear(event)
    report.close()

    suite = ET.parse(tmp_path / "junit.xml").getroot()
    found = {each.get("name"): each.get("value") for each in suite.iter("property")}

    assert (found["boot.first_byte"], found["boot.kernel"]) == ("0.1 s", "1.5 s")


def test_what_the_board_has_shown_outlives_an_attempt_and_what_the_module_measured_does_not() -> None:
    ear = Ear(None, bench="b", case="c", step="s")  # type: ignore[arg-type]
    ear.hear(Noted("volts", 3.3, "V"))
    ear.hear(Noted("boot.kernel", 1.5, "s", lasting=True))

    ear.begin_again()

    assert [each.name for each in ear.measures] == ["boot.kernel"]
