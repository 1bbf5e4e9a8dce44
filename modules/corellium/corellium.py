"""A virtual device of Corellium as a board: power, console, life."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from runner.api import (
    Context,
    Driver,
    Duration,
    FilePath,
    LabError,
    Machine,
    MachineConsoleUrl,
    MachineInfo,
    MachineSnapshot,
    MachineState,
    Misfit,
    Needs,
    Picture,
    PowerState,
    Secret,
    Unsupported,
    arg,
    child,
)
from runner.api.web import Web
from runner.console import ConsoleSettings
from runner.modules.corellium.answers import STATES, Instance
from runner.modules.corellium.api import Api
from runner.modules.corellium.device import VirtualDevice
from runner.modules.corellium.instance import OwnInstance
from runner.modules.corellium.options import Wanted, address_of, wrong_address, wrong_token
from runner.modules.corellium.parts import CloudConsole, Supply
from runner.modules.corellium.port import Connection, ConsolePort

_LARGEST = 16 * 2**20
"""Bytes of an answer: the list of all models is long."""


class Corellium(Driver, Machine):
    """A virtual device of Corellium, in its cloud or on an appliance, switched and typed at like a board.

    It is found by its name in the project; when there is none, switching it on makes it, as `model`
    with `os`. It stays, and stays as it is, when the run ends: `vm: absent` deletes it. `patience` is
    for making and booting it, too. An API that is busy is asked again when it says so (Retry-After).

    Written from Corellium's public API documentation, and tested on an emulated API; it has not been
    tried on the real one yet.

    Example::

        devices:
          board:
            driver: corellium
            api: https://app.corellium.com
            token: !env CORELLIUM_API_TOKEN
            name: nightly-board
            model: kronos
            os: 1.1.1
            console_name: Primary Compute Non-Secure
    """

    simulated = True

    api: str = arg(help="the address of the API: https://app.corellium.com, or a host's name")
    token: Secret = arg(help="an API token of the installation", secret=True)
    project: str = arg(default="Default Project", help="the project's name, or its id")
    name: str = arg(help="the device's name in the project, or its id")
    model: str = arg(default="", help="what is made when there is none: a model's name, or its flavor")
    os: str = arg(default="", help="the version of the firmware that it is made with")
    build: str = arg(default="", help="the build of that, where a version has several")
    console_name: str = arg(default="", help="the console's name, or its id; empty: its only one")
    poll_interval: Duration = arg(
        default=Duration("5s"), help="how long to wait between two looks at it while it changes"
    )
    patience: Duration = arg(
        default=Duration("4m"),
        help="how long it may take to be made, to boot, to end, to be deleted; more needs a longer "
        "`timeout` of the step, too",
    )
    limit: Duration = arg(default=Duration("30s"), help="how long the API may take to connect and to answer")
    ca: FilePath | None = arg(
        default=None, help="the certificates that are trusted (PEM), instead of the system's"
    )
    insecure: bool = arg(default=False, help="true: do not look at the certificates")
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how its console is used")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is wrong with the address and the token, and what is missing to make a device."""
        if wrong := wrong_address(given.get("api", "x")):
            yield Misfit("api", *wrong)
        if wrong := wrong_token(given.get("token", "x")):
            yield Misfit("token", *wrong)
        if "name" in given and not given["name"]:
            yield Misfit("name", "a device has a name", "that of one that there is, or of the one to make")
        if given.get("model") and given.get("os") == "":
            yield Misfit("model", "a device is made with a firmware", "write its version as 'os'")

    def needs(self) -> Needs:
        """Return the API's address."""
        return Needs(nodes=(address_of(self.api),))

    def open(self) -> None:
        """Find the project, and the model when it is named; nothing is made or switched."""
        for wrong in (wrong_address(self.api), wrong_token(self.token)):
            if wrong:
                raise LabError(wrong[0], hint=wrong[1])
        self._ports: list[ConsolePort] = []
        web = Web(
            url=address_of(self.api), limit=self.limit, ca=self.ca, insecure=self.insecure, largest=_LARGEST
        )
        self._api = Api(web, self.token)
        wanted = Wanted(
            name=self.name,
            project=self.project,
            model=self.model,
            os=self.os,
            build=self.build,
            poll_interval=self.poll_interval,
            patience=self.patience,
            limit=self.limit,
        )
        try:
            self._device = VirtualDevice(OwnInstance(self._api, wanted), wanted, self._seen)
        except LabError:
            self._api.close()
            raise

    def close(self) -> None:
        """End the connections; the device stays as it is."""
        for port in list(self._ports):
            port.close()
        self._api.close()

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return self._device.own.label

    @property
    def polls(self) -> int:
        """How often it was looked at until the last order was carried out."""
        return self._device.polls

    def abandon(self) -> None:
        """Stop waiting."""
        self._device.give_up()

    def monitor(self, command: str, arguments: Mapping[str, object]) -> object:
        """Raise Unsupported: the API has no monitor."""
        raise Unsupported(
            f"Corellium's API has no QMP: it cannot run {command!r} with {dict(arguments)}",
            hint="'vm', 'vm_info' and 'vm_snapshot' do what the API can",
        )

    def state(self) -> MachineState:
        """Look at it; what is on its way to run counts as running."""
        instance = self._device.own.find()
        return _state(instance)

    def power_state(self) -> PowerState:
        """Look at it; raise LabError with the API's words when it has failed."""
        instance = self._device.own.find()
        state = _state(instance)
        if instance is not None and state == "failed":
            raise LabError(
                f"it is in the state 'error': {instance.error or 'the API does not say why'}",
                evidence={"state": instance.state, "error": instance.error},
                hint="'vm: absent' deletes it",
            )
        return "on" if state in ("running", "paused") else "off"

    def info(self) -> MachineInfo:
        """Tell what the API tells; of a device that there is not, what it will be."""
        instance = self._device.own.find()
        return MachineInfo(
            state=_state(instance),
            status=instance.state if instance else "absent",
            version="",
            accelerator="",
            cpus=None,
            memory=None,
            disks=(),
            forwards={},
            vnc="",
            vsock=None,
            pid=None,
            id=instance.id if instance else "",
            project=self._device.own.project.name,
            model=(instance.model if instance else "") or self._device.own.model,
            consoles=instance.consoles if instance else (),
        )

    def start(self) -> None:
        """Make it, switch it on, or let it go on; return when it is on and its console is there."""
        self._device.turn_on()

    def pause(self) -> None:
        """Stop its processors."""
        self._device.pause()

    def stop(self) -> None:
        """Switch it off."""
        with self._ending():
            self._device.turn_off()

    def reset(self) -> None:
        """Reboot it."""
        self._leave_consoles()
        self._device.reset()

    def delete(self) -> None:
        """Switch it off, delete it, and wait until the API knows it no more."""
        with self._ending():
            self._device.delete()

    def shut_down(self, within: float, context: Context) -> bool:
        """Ask its system to shut down."""
        with self._ending():
            return self._device.shut_down(within, context)

    def console_url(self, name: str) -> MachineConsoleUrl:
        """Ask where a console is; empty: the one of the option `console_name`."""
        return self._device.own.console_url(name or self.console_name)

    def screendump(self) -> Picture:
        """Return what its screen shows."""
        return self._device.own.screen()

    def snapshots(self) -> tuple[MachineSnapshot, ...]:
        """List them; Corellium makes one by itself with the device."""
        return tuple(each.told() for each in self._device.own.snapshots() if each.whole)

    def save_snapshot(self, name: str) -> None:
        """Make a snapshot."""
        self._device.save_snapshot(name)

    def load_snapshot(self, name: str) -> None:
        """Go back to a snapshot."""
        self._leave_consoles()
        self._device.load_snapshot(name)

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self._device.delete_snapshot(name)

    @child
    def power(self) -> Supply:
        """Its supply."""
        return Supply(self)

    @child
    def console(self) -> CloudConsole:
        """Its console."""
        return CloudConsole(self, self.settings)

    def open_port(self) -> ConsolePort:
        """Open its console; raise LabError when it is on and that fails."""
        port = ConsolePort(self._dial, self._ports.remove)
        self._ports.append(port)
        instance = self._device.own.find()
        try:
            if instance is not None and instance.state == "on":
                port.attach()
        except LabError:
            port.close()
            raise
        return port

    def _dial(self) -> Connection:
        found = self._device.own.console_url(self.console_name)
        return Connection(found.url, self.limit, self._trust(found.url), f"console {found.console_id!r}")

    def _trust(self, url: str) -> ssl.SSLContext | None:
        if not url.startswith("wss:"):
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _seen(self, instance: Instance | None) -> None:
        """Have the consoles come and go with the device; early, so that they hear it boot."""
        state = instance.state if instance else ""
        for port in list(self._ports):
            if state == "on":
                port.attach()
            elif state in ("booting", "rebooting"):
                port.try_attach()
            elif state in ("off", ""):
                port.detach()

    def _leave_consoles(self) -> None:
        """Close them; they are connected anew to the device's next life."""
        for port in list(self._ports):
            port.detach()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Take it for granted meanwhile that the consoles are closed."""
        ports = list(self._ports)
        for port in ports:
            port.expect_end(ending=True)
        try:
            yield
        finally:
            for port in ports:
                port.expect_end(ending=False)


def _state(instance: Instance | None) -> MachineState:
    word = instance.state if instance else ""
    if word not in STATES:
        raise LabError(f"the API tells the state {word!r}, which nobody has documented")
    return STATES[word]
