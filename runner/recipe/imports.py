"""``import:``: files of actions, and folders of the user's own modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, InputError, did_you_mean
from runner.loader import load
from runner.loader.fence import Fence
from runner.recipe.fields import inside, keyed, listed, text, unknown_keys, wrong
from runner.recipe.reading import Chain, ChainedFaults
from runner.recipe.untrusted import refuse_code, refuse_file

_YAML = (".yaml", ".yml")


@dataclass(slots=True, kw_only=True, eq=False)
class Source:
    """A file of actions. `path` is absolute; `chain` tells how it came to be imported."""

    path: Path
    chain: Chain
    actions: Mapping[str, Entry] = field(default_factory=dict)
    imports: tuple[Source, ...] = ()

    def visible(self) -> Mapping[str, Source]:
        """Return the actions that this file may use, and where each of them stands."""
        found = {name: source for source in self.imports for name in source.actions}
        return {**found, **dict.fromkeys(self.actions, self)}


class Importer:
    """Loads every imported file once and collects the folders of modules on the way."""

    def __init__(self, faults: Faults, fence: Fence | None = None) -> None:
        """Note faults in `faults`, each with the chain of imports that led to it.

        `fence`: what a recipe that is not trusted may read.
        """
        self._faults = faults
        self._fence = fence
        self._loaded: dict[Path, Source] = {}
        self._loading: list[Path] = []
        self.folders: list[str] = []
        """Absolute paths, in the order in which they were met."""

    def sources(self) -> tuple[Source, ...]:
        """Return every file of actions that was loaded."""
        return tuple(self._loaded.values())

    def read(self, node: Node, base: Path, chain: Chain, faults: Faults) -> tuple[Source, ...]:
        """Import the files and folders of a list of paths, relative to the folder `base`."""
        found = (self._import(item, base, chain, faults) for item in listed(node))
        return tuple(source for source in found if source is not None)

    def add_folder(self, folder: str) -> None:
        """Note a folder of modules."""
        if folder not in self.folders:
            self.folders.append(folder)

    def _import(self, node: Node, base: Path, chain: Chain, faults: Faults) -> Source | None:
        given = text(node, "import", faults)
        if not given or not isinstance(node, Scalar):
            return None
        path = (base / Path(given).expanduser()).resolve()
        if self._fence is not None and not self._fence.holds(path):
            refuse_file(given, inside(node), faults)
            return None
        if path.is_dir():
            self._folder(path, given, node, faults)
            return None
        if not path.is_file():
            _missing(path, given, node, faults)
            return None
        if path.suffix in _YAML:
            return self._file(path, given, node, chain, faults)
        _not_importable(path, given, node, faults)
        return None

    def _folder(self, path: Path, given: str, node: Scalar, faults: Faults) -> None:
        if self._fence is not None:
            refuse_code(f"the folder {given!r}", inside(node), faults)
            return
        if any(path.glob("*.py")):
            self.add_folder(str(path))
            return
        hint = "name the files of actions in it one by one"
        faults.add("E214", f"the folder {given!r} holds no modules", at=inside(node), hint=hint)

    def _file(self, path: Path, given: str, node: Scalar, chain: Chain, faults: Faults) -> Source | None:
        if path in self._loading:
            cycle = [*self._loading[self._loading.index(path) :], path]
            names = " → ".join(each.name for each in cycle)
            faults.add(
                "E215", f"the imports go in a circle: {names}", at=inside(node), hint="drop one of them"
            )
            return None
        if path not in self._loaded:
            self._loading.append(path)
            self._loaded[path] = self._load(path, (*chain, (f"{given} is imported", node.at)))
            self._loading.pop()
        return self._loaded[path]

    def _load(self, path: Path, chain: Chain) -> Source:
        faults = ChainedFaults(self._faults, chain)
        source = Source(path=path, chain=chain)
        try:
            node = load(str(path), fence=self._fence)
        except InputError as error:
            faults.extend(error)
            return source
        if not isinstance(node, MapNode):
            wrong(node, "a file of actions", "a mapping with 'actions'", faults)
            return source
        if _is_play(node):
            faults.add(
                "E214", "a recipe cannot be imported", at=node.at, hint="import a file with 'actions:'"
            )
            return source
        unknown_keys(node.entries, ("actions", "import"), "a file of actions", faults)
        actions, imports = node.get("actions"), node.get("import")
        if imports is not None:
            source.imports = self.read(imports, path.parent, chain, faults)
        if isinstance(actions, MapNode):
            source.actions = keyed(actions)
        elif actions is not None:
            wrong(actions, "actions", "a mapping of names to actions", faults)
        return source


def _is_play(node: MapNode) -> bool:
    return not {"tests", "steps", "setup", "benches"}.isdisjoint(node.names())


def _missing(path: Path, given: str, node: Scalar, faults: Faults) -> None:
    folder = path.parent
    near = did_you_mean(path.name, (each.name for each in folder.iterdir())) if folder.is_dir() else ""
    hint = near or "the path is relative to this file"
    faults.add("E214", f"there is no file {given!r} to import", at=inside(node), hint=hint)


def _not_importable(path: Path, given: str, node: Scalar, faults: Faults) -> None:
    hint = "import a .yaml file with 'actions:', or a folder with modules in Python"
    if path.suffix == ".py":
        folder = Path(given).parent
        faults.add(
            "E299",
            "importing a single Python file is not supported yet",
            at=inside(node),
            hint=f"import its folder: {folder}",
        )
        return
    faults.add("E214", f"{given!r} cannot be imported", at=inside(node), hint=hint)


def files_of(sources: tuple[Source, ...]) -> Iterator[tuple[str, Source]]:
    """Go through all actions of some files: name and file."""
    for source in sources:
        for name in source.actions:
            yield name, source
