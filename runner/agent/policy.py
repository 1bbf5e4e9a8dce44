"""What a host allows: asked before anything is done there, whatever the controller says."""

from __future__ import annotations

import dataclasses
import os
import posixpath
import pwd
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runner.agent.classes import class_at
from runner.agent.instrument import driver_of
from runner.agent.policy_file import PATH, Line, read_lines, seconds_of
from runner.api.module import Module
from runner.api.values import Duration
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.agent.calls import DeviceSpec, Take

BUILT_IN = ("runner.modules.", "runner.console.")
_DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "users": ("*",),
    "benches": ("*",),
    "modules": ("*",),
    "drivers": ("*",),
    "devices": ("/dev/*",),
    "forwards": (),
    "commands": ("no",),
    "code": ("built-in",),
}
_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Policy:
    """One file, as it is meant for one user; an empty one for a host without a file allows everything."""

    def __init__(self, path: str, user: str, lines: Mapping[str, Line] | None, *, guarded: bool) -> None:
        """Take what was read; `guarded`: this agent was started by the host, not by the controller."""
        self.path = path
        self.user = user
        self.guarded = guarded
        self._lines = lines

    @property
    def there(self) -> bool:
        """Whether there is a file."""
        return self._lines is not None

    @property
    def lines(self) -> tuple[Line, ...]:
        """What the file says about this user."""
        return tuple((self._lines or {}).values())

    def line(self, key: str) -> Line:
        """Return what counts for a key; the place of a default is the file."""
        lines = self._lines or {}
        return lines.get(key) or Line(key, _DEFAULTS.get(key, ()), f"{self.path} (default)")

    @property
    def max_hold(self) -> float | None:
        """For how many seconds at most this user may hold a bench; None when nothing is said."""
        lines = self._lines or {}
        return seconds_of(lines["max_hold"]) if "max_hold" in lines else None

    def allow_bench(self, bench: str) -> None:
        """Raise LabError unless this user may use a bench of this host."""
        if self._lines is None:
            return
        code = self.line("code")
        if code.values == ("installed",) and not self.guarded:
            raise self._refusal(
                "an agent that was sent here",
                code,
                hint="log in with the key that starts the installed agent",
            )
        self._allow("users", self.user, "the host")
        self._allow("benches", bench, f"bench {bench!r}")

    def allow_reserving(self, bench: str, seconds: float) -> None:
        """Raise LabError unless this user may keep a bench for so long."""
        self.allow_bench(bench)
        if self.max_hold is not None and seconds > self.max_hold:
            what = f"bench {bench!r} for {Duration(seconds)}"
            raise self._refusal(what, self.line("max_hold"))

    def allow_run(self, path: str) -> None:
        """Raise LabError unless what is at a path may run; it is imported from allowed places only."""
        self.allow_path(path)
        self.allow_module(path, class_at(path))

    def allow_module(self, path: str, cls: type) -> None:
        """Raise LabError unless a module may run."""
        if self._lines is None:
            return
        name = name_of(cls)
        if not issubclass(cls, Module):
            raise LabError(f"{path} is no module", evidence={"policy": self.path})
        self._allow("modules", name, f"module {name!r}")
        self._allow_code(path, f"module {name!r}")
        self._allow_unconfined(cls, f"module {name!r}")

    def allow_driver(self, name: str, spec: DeviceSpec, cls: type) -> None:
        """Raise LabError unless a device's driver may be used."""
        what = f"driver {name_of(cls)!r} (device {name!r})"
        self._allow("drivers", name_of(cls), what)
        self._allow_code(spec.path, what)
        self._allow_unconfined(cls, what)

    def allow_nodes(self, name: str, nodes: Sequence[str]) -> None:
        """Raise LabError unless a device may open what its options name."""
        for each in nodes:
            plain = posixpath.normpath(each) if each.startswith("/") else each
            self._allow("devices", plain, f"{each} (device {name!r})")

    def allow_forward(self, address: str) -> None:
        """Raise LabError unless connections may be forwarded to, or accepted at, an address."""
        self._allow("forwards", address, f"a forward to or at {address}")

    def allow_devices(self, devices: Mapping[str, DeviceSpec]) -> None:
        """Raise LabError unless every device of a bench may be used; opens none of them."""
        if self._lines is None:
            return
        for name, spec in devices.items():
            self._allow_code(spec.path, f"driver {spec.driver!r} (device {name!r})")
            cls = class_at(spec.path)
            self.allow_driver(name, spec, cls)
            self.allow_nodes(name, driver_of(spec).needs().nodes)

    def allow_path(self, path: str) -> None:
        """Raise LabError before code is imported from a place that nothing allowed comes from."""
        self._allow_code(path, f"code from {path.partition(':')[0]!r}")

    def _allow(self, key: str, name: str, what: str) -> None:
        line = self.line(key)
        if self._lines is not None and not line.allows(name):
            raise self._refusal(what, line)

    def _allow_code(self, path: str, what: str) -> None:
        line = self.line("code")
        if self._lines is not None and line.values != ("own",) and not path.startswith(BUILT_IN):
            raise self._refusal(what, line, hint="'code = own' lets users bring modules of their own")

    def _allow_unconfined(self, cls: type, what: str) -> None:
        line = self.line("commands")
        if self._lines is not None and line.values != ("yes",) and getattr(cls, "unconfined", False):
            why = "it can run any program as this user: 'commands = yes' allows that"
            raise self._refusal(what, line, hint=why)

    def _refusal(self, what: str, line: Line, *, hint: str = "") -> LabError:
        return LabError(
            f"{what} is not allowed to user {self.user!r} on host {os.uname().nodename}: {line}",
            evidence={"policy": line.at, "user": self.user},
            hint=hint or "whoever looks after the host can change that line",
        )


class Rules:
    """The policies that count: the host's own, and those that inventories ask for besides."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read the host's own, once: ``$RUNNER_POLICY``, or the file in /etc."""
        self._guarded = bool(environment.get("RUNNER_GUARDED"))
        self.user = environment["RUNNER_GUARDED"] if self._guarded else login()
        path = environment.get("RUNNER_POLICY") or PATH
        self.host = Policy(path, self.user, read_lines(path, self.user), guarded=self._guarded)

    def whose(self, claimed: str) -> str:
        """Return who asks for something: whoever the key belongs to, else who the controller says it is."""
        return self.user if self._guarded else claimed

    def allowed(self, take: Take) -> Take:
        """Return a request for a bench as it is allowed; raise LabError when it is not."""
        policies = self.with_file(take.configure.policy if take.configure else "")
        for policy in policies:
            policy.allow_bench(take.bench)
        return held_no_longer(dataclasses.replace(take, who=self.whose(take.who)), policies)

    def with_file(self, path: str) -> tuple[Policy, ...]:
        """Return the host's own and the one in `path`, if any; raise LabError when that is not there."""
        if not path or path == self.host.path:
            if path and not self.host.there:
                raise _missing(path)
            return (self.host,)
        lines = read_lines(path, self.user)
        if lines is None:
            raise _missing(path)
        return (self.host, Policy(path, self.user, lines, guarded=self._guarded))


def login() -> str:
    """Return who we run as: the account that sshd let in, by what the kernel says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def name_of(cls: type) -> str:
    """Return the name that recipes and inventories use for a class.

    >>> name_of(type("UbootCmd", (), {}))
    'uboot_cmd'
    """
    return _WORD_EDGE.sub("_", cls.__name__.rstrip("_")).lower()


def _missing(path: str) -> LabError:
    return LabError(
        f"host {os.uname().nodename} has no policy {path}, and its inventory wants that obeyed",
        evidence={"policy": path},
        hint="put the file there, or take 'policy' of the host out of the inventory",
    )


def held_no_longer(take: Take, policies: Sequence[Policy]) -> Take:
    """Return the request with the shortest `max_hold` that a policy says, if that is shorter."""
    for policy in policies:
        most = policy.max_hold
        if most is not None and (take.hold is None or take.hold > most):
            take = dataclasses.replace(take, hold=most, hold_origin=f"the host's {policy.line('max_hold')}")
    return take
