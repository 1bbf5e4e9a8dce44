"""Our instance in Corellium's API: found, asked for, made, and told what to do."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from runner.api import LabError, MachineConsoleUrl, Picture, RecipeFault, Secret
from runner.api.json_path import parsed
from runner.modules.corellium.answers import (
    Instance,
    Named,
    Snapshot,
    console_of,
    instance_of,
    list_of,
    model_of,
    own_instance,
    project_of,
    snapshot_of,
    text_at,
)
from runner.modules.corellium.api import Api
from runner.modules.corellium.options import Wanted
from runner.modules.corellium.patience import Patience

_ALL = "/v1/instances"


class OwnInstance:
    """An instance of a project, by its name or its id; there need not be one."""

    def __init__(self, api: Api, wanted: Wanted) -> None:
        """Find the project, and the model where one is named; raise LabError for what there is not."""
        self._api = api
        self._wanted = wanted
        self._id = ""
        self.error = ""
        """What the API says is wrong with it; empty for nothing."""
        patience = Patience(wanted.limit)
        self.project = project_of(api.get("/v1/projects", patience), wanted.project, api.url)
        self._model: Named | None = None
        if wanted.model:
            self._model = model_of(api.get("/v1/models", patience), wanted.model, api.url)

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return f"instance {self._wanted.name!r} at {self._api.url}"

    @property
    def model(self) -> str:
        """The model that it is made as; empty where the inventory does not say."""
        return self._model.name if self._model else ""

    def find(self) -> Instance | None:
        """Look at it; None when there is none."""
        return self.look(Patience(self._wanted.limit))

    def abort(self) -> None:
        """Have the request that is under way end with an error."""
        self._api.abort()

    def look(self, patience: Patience) -> Instance | None:
        """Ask for it by its id once that is known: a list of all is long."""
        if self._id:
            path = f"{_ALL}/{quote(self._id, safe='')}"
            found = self._api.find(path, patience)
            if found is not None:
                return self._noted(instance_of(found, f"{self._api.url}{path}"))
        listed = self._api.get(_ALL, patience)
        instance = own_instance(listed, self._wanted.name, self.project, f"{self._api.url}{_ALL}")
        return self._noted(instance)

    def _noted(self, instance: Instance | None) -> Instance | None:
        """Remember what it is called, and what is wrong with it."""
        self._id = instance.id if instance else ""
        self.error = instance.error if instance else ""
        return instance

    def told(self, patience: Patience) -> Instance:
        """Ask for it and all that it has; raise LabError when there is none."""
        instance = self.look(patience)
        if instance is None:
            raise LabError(f"there is no {self.label}", hint="power_on or 'vm: running' makes it")
        if instance.consoles:
            return instance
        return self.look(patience) or instance

    def create(self, patience: Patience) -> None:
        """Make the instance; raise LabError where the inventory does not say as what."""
        if self._model is None:
            raise LabError(
                f"there is no {self.label}, and the inventory does not say what to make",
                hint="write the options 'model' and 'os', or the name of one that there is",
            )
        body = {"name": self._wanted.name, "project": self.project.id, "flavor": self._model.id}
        body |= {"os": self._wanted.os} | ({"osbuild": self._wanted.build} if self._wanted.build else {})
        where = f"{self._api.url}{_ALL}"
        answer = self._api.order("POST", _ALL, patience, body)
        try:
            made = parsed(answer)
        except ValueError as error:
            raise LabError(f"{where} has made an instance, but {error}") from error
        self._id = text_at(made if isinstance(made, dict) else {}, "id", where)

    def order(
        self, method: str, path: str, patience: Patience, body: Mapping[str, object] | None = None
    ) -> None:
        """Have something done with it; raise LabError with the API's words when that is refused."""
        self._api.order(method, f"{_ALL}/{quote(self._id, safe='')}{path}", patience, body)

    def console_url(self, name: str) -> MachineConsoleUrl:
        """Ask where a console is, by its name or its id; empty: the only one."""
        patience = Patience(self._wanted.limit)
        found = self.told(patience)
        console = console_of(found, name)
        path = f"{_ALL}/{quote(found.id, safe='')}/console"
        query = f"?type={quote(console.id.removeprefix('port-'), safe='')}" if console.id else ""
        answer = self._api.get(path + query, patience)
        where = f"{self._api.url}{path}"
        return MachineConsoleUrl(
            url=Secret(text_at(answer if isinstance(answer, dict) else {}, "url", where)),
            console_id=console.id,
        )

    def screen(self) -> Picture:
        """Ask for what its screen shows; raise LabError when there is none, or no picture comes."""
        patience = Patience(self._wanted.limit)
        path = f"{_ALL}/{quote(self.told(patience).id, safe='')}/screenshot.png"
        try:
            return Picture.from_png(self._api.fetch(path, patience))
        except ValueError as error:
            raise LabError(f"{self._api.url}{path} answers no picture: {error}") from error

    def snapshots(self, patience: Patience | None = None) -> tuple[Snapshot, ...]:
        """List its snapshots; there are none of what there is not."""
        patience = patience or Patience(self._wanted.limit)
        instance = self.look(patience)
        if instance is None:
            return ()
        path = f"{_ALL}/{quote(instance.id, safe='')}/snapshots"
        found = list_of(self._api.get(path, patience), f"{self._api.url}{path}")
        return tuple(snapshot_of(each, f"{self._api.url}{path}") for each in found)

    def snapshot(self, name: str, patience: Patience) -> Snapshot:
        """Find a snapshot; raise RecipeFault when there is none of that name."""
        there = self.snapshots(patience)
        for each in there:
            if each.name == name:
                return each
        raise RecipeFault(
            f"{self.label} has no snapshot {name!r}",
            hint=f"there is {', '.join(repr(each.name) for each in there) or 'none'}",
        )
