"""What ``-i`` names: a file, a folder of files in the order of their names, a program that prints JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.document import Node
from runner.errors import Fault, Faults, InputError
from runner.inventory.program import Printed, is_program, printed_inventory, run_program
from runner.loader import load, shown_path

SUFFIXES = (".yaml", ".yml", ".json")
Run = Callable[[str], Printed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document of an inventory; variables of groups and benches stand in `folder`, beside it.

    `alone`: nothing else in that folder is an inventory that was left out.
    """

    node: Node
    shown: str
    folder: Path
    alone: bool


def read_source(path: str, faults: Faults, run: Run = run_program) -> Iterator[Source]:
    """Read every document below a path; note those that cannot be read."""
    place = Path(path)
    if not place.is_dir():
        alone = files_of(place.parent) in ([], [place])
        yield from _document(place, place.parent, faults, run, alone=alone)
        return
    found = files_of(place)
    if not found:
        hint = f"an inventory is a file that ends in {', '.join(SUFFIXES)}, or a program"
        faults.add("E401", f"there is no inventory in {shown_path(path)}", hint=hint)
    for file in found:
        yield from _document(file, place, faults, run, alone=True)


def files_of(folder: Path) -> list[Path]:
    """Return the inventories of a folder, in the order of their names."""
    if not folder.is_dir():
        return []
    return [file for file in sorted(folder.iterdir()) if _is_inventory(file)]


def _is_inventory(file: Path) -> bool:
    if file.name.startswith((".", "_")) or file.name.endswith("~"):
        return False
    return (file.is_file() and file.suffix in SUFFIXES) or is_program(file)


def _document(file: Path, folder: Path, faults: Faults, run: Run, *, alone: bool) -> Iterator[Source]:
    shown = shown_path(str(file))
    try:
        node = _printed(file, shown, run) if is_program(file) else load(str(file))
    except InputError as error:
        faults.extend(error)
        return
    yield Source(node=node, shown=shown, folder=folder, alone=alone)


def _printed(file: Path, shown: str, run: Run) -> Node:
    try:
        printed = run(str(file))
    except OSError as error:
        message = f"inventory program {shown} cannot be started: {error.strerror}"
        hint = "its first line names the interpreter: #!/usr/bin/env python3"
        raise InputError([Fault(code="E407", message=message, hint=hint)]) from error
    return printed_inventory(printed, shown, str(file.parent))
