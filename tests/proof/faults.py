"""The table: every row of the console's acceptance, with what must break when a rule of it is off."""

from __future__ import annotations

from proof import bench, boots, commands, recordings
from proof.fault import Fault

FAULTS: tuple[Fault, ...] = tuple(
    sorted((*commands.FAULTS, *boots.FAULTS, *bench.FAULTS, *recordings.FAULTS), key=lambda fault: fault.row)
)
