"""The folders ``group_vars/`` and ``bench_vars/`` beside an inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from runner.errors import Faults, InputError, did_you_mean
from runner.inventory.sources import SUFFIXES, Source
from runner.inventory.written import definitions
from runner.loader import load, shown_path
from runner.model import Definition


class VarsFiles:
    """The files of variables, by the group or bench that they are for."""

    def __init__(
        self, sources: Iterable[Source], groups: Collection[str], benches: Collection[str], faults: Faults
    ) -> None:
        """Find the files beside `sources`; note those that are for nobody."""
        self._faults = faults
        folders: dict[Path, bool] = {}
        for source in sources:
            folders[source.folder] = folders.get(source.folder, True) and source.alone
        self._groups: dict[str, list[Path]] = {}
        self._benches: dict[str, list[Path]] = {}
        for folder, whole in folders.items():
            self._find(folder / "group_vars", "group", ("all", *groups), self._groups, whole=whole)
            self._find(folder / "bench_vars", "bench", benches, self._benches, whole=whole)

    def of_group(self, name: str, layer: str) -> Iterator[Definition]:
        """Read what the files say of a group; ``all`` is every bench."""
        return self._read(self._groups.get(name, ()), layer)

    def of_bench(self, name: str, layer: str) -> Iterator[Definition]:
        """Read what the files say of a bench."""
        return self._read(self._benches.get(name, ()), layer)

    def _find(
        self, folder: Path, kind: str, known: Collection[str], found: dict[str, list[Path]], *, whole: bool
    ) -> None:
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.name.startswith("."):
                continue
            if entry.is_file() and entry.suffix not in SUFFIXES:
                if not entry.suffix:
                    self._nobody(entry, "is not read", f"call it {entry.name}.yaml")
                continue
            name = entry.name if entry.is_dir() else entry.stem
            if name in known:
                found.setdefault(name, []).extend(_files(entry))
            elif whole:
                self._nobody(entry, f"is for no {kind} of the inventory", did_you_mean(name, known))

    def _nobody(self, entry: Path, why: str, hint: str) -> None:
        self._faults.add("E408", f"{shown_path(str(entry))} {why}", hint=hint)

    def _read(self, files: Iterable[Path], layer: str) -> Iterator[Definition]:
        for file in files:
            try:
                node = load(str(file))
            except InputError as error:
                self._faults.extend(error)
                continue
            yield from definitions(node, layer, self._faults)


def _files(entry: Path) -> list[Path]:
    if entry.is_file():
        return [entry]
    return [file for file in sorted(entry.iterdir()) if file.suffix in SUFFIXES and file.is_file()]
