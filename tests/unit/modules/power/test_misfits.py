"""Arguments of the power modules that do not fit together, and where that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.playing import play_text

from runner.errors import InputError


@pytest.mark.parametrize(
    ("step", "column", "message"),
    [
        (
            "power_on: {force: true, rescue: true}",
            37,
            "power_on: 'force' and 'rescue' exclude one another",
        ),
        (
            "power_cycle: {by_switch: true, off_time: 5s}",
            46,
            "power_cycle: with 'by_switch' the switch chooses the 'off_time'",
        ),
    ],
)
def test_they_are_refused_before_the_run(tmp_path: Path, step: str, column: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        play_text(tmp_path, f"steps:\n  - {step}\n")

    (fault,) = caught.value.faults
    assert (fault.code, fault.message) == ("E235", message)
    assert fault.at is not None
    assert (fault.at.line, fault.at.column) == (2, column)
