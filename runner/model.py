"""What was written: recipe, play, test, step, bench, host, device. Frozen, and valid once it exists."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.api.values import Duration
from runner.declaration import DriverType, Parameter, Verb
from runner.document import Node, Scalar
from runner.errors import Location

ONE_SECOND = Duration(1)


class Unbound(enum.Enum):
    """Marks a value that only rendering can give."""

    UNBOUND = "unbound"


UNBOUND = Unbound.UNBOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A value given to a parameter: the typed `value` when the text holds no template, else UNBOUND."""

    parameter: Parameter
    node: Node
    value: Any = UNBOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A bare Jinja expression and where it stands."""

    text: str
    at: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A variable's definition in one layer; `layer` says which, in words (``group arm64``, ``play vars``)."""

    name: str
    node: Node
    layer: str


# --- inventory -----------------------------------------------------------------------------------


def _transport(name: str) -> str:
    return "local" if name == "localhost" else "paramiko"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that instruments are plugged into; `options` as language.md section 2 lists them."""

    name: str
    at: Location | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """True for this machine."""
        return bool(self.options.get("transport", _transport(self.name)) == "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A named instrument of a bench, or an alias (`ref`, a dotted path) of one.

    `devices`: for the slots of its driver that are written, which device of the bench it works through.
    """

    name: str
    at: Location
    driver: DriverType | None = None
    options: Mapping[str, Bound] = field(default_factory=dict)
    devices: Mapping[str, Scalar] = field(default_factory=dict)
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One board under test and its instruments.

    `index` counts within a range of names (the number itself: rpi4-03 has 3), else 1.
    `variables` are in order of rising precedence. `out_of_service` is the reason, if any.
    `on_acquire`, `on_release` and `recover` hold steps as written (checked like a recipe's).
    """

    name: str
    index: int
    at: Location | None
    host: Host
    labels: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    variables: tuple[Definition, ...] = ()
    devices: Mapping[str, Device] = field(default_factory=dict)
    recover: Node | None = None
    on_acquire: Node | None = None
    on_release: Node | None = None
    max_hold: Duration | None = None
    out_of_service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All hosts and benches, and the members of each group (nested groups resolved)."""

    hosts: Mapping[str, Host]
    benches: Mapping[str, Bench]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()


# --- recipe --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A named number and its limits; each of them is an expression."""

    name: str
    value: Expression
    unit: str = ""
    minimum: Expression | None = None
    maximum: Expression | None = None
    warn: Expression | None = None
    equals: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A step that runs a module. `devices`: slot name (or ``device``) to the name asked for."""

    verb: Verb
    arguments: Mapping[str, Bound]
    devices: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A verb made of steps. `returns` maps names to expressions over its registers."""

    name: str
    at: Location
    help: str = ""
    params: Mapping[str, Parameter] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    returns: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A step that runs an action."""

    action: Action
    arguments: Mapping[str, Bound]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Steps together: `rescue` when one failed, `always` in any case."""

    steps: tuple[Step, ...]
    rescue: tuple[Step, ...] = ()
    always: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Steps at the same time; all are awaited, the worst outcome counts."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End a background step early; `cancel` False waits for its own end (``join``)."""

    background: str
    cancel: bool


What = Use | Call | Block | Parallel | Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantining:
    """The last rung of a ladder of recovery: nobody takes the bench any more until somebody clears it."""

    at: Location
    reason: str = ""
    """What is told besides why the last attempt did not pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedError:
    """``expect_error``: the step must end with this class of error and a message that matches."""

    kind: str = ""
    match: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Repeat for each item of a list, mapping (``item.key``, ``item.value``) or range."""

    over: Node
    variable: str = "item"
    label: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Repeat until it holds: at most `retries` times more, `delay` apart."""

    condition: Expression
    retries: int | None = None
    delay: Duration = ONE_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as written. `id` is unique in the recipe and stable in one file: ``tests[0].steps[2]``."""

    id: str
    at: Location
    what: What
    name: str = ""
    title: str = ""
    """What to call it in reports when `name` is empty: ``uboot_cmd printenv``."""
    named: Node | None = None
    """The name, when it holds a template; `name` is it as written."""
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Node] = field(default_factory=dict)
    when: Expression | None = None
    loop: Loop | None = None
    register: str = ""
    expect: tuple[Expression, ...] = ()
    measure: tuple[Measure, ...] = ()
    until: Until | None = None
    retries: int = 0
    """For `retry_on`; without `until`."""
    retry_on: tuple[Literal["failed", "error", "timeout"], ...] = ()
    delay: Duration = ONE_SECOND
    timeout: Node | None = None
    idle_timeout: Node | None = None
    failed_when: tuple[Expression, ...] = ()
    expect_error: ExpectedError | None = None
    ignore_errors: bool = False
    background: str = ""
    defer: bool = False
    bench: Node | None = None
    run_once: bool = False
    no_log: bool = False


Rung = Step | Quarantining


@dataclass(frozen=True, slots=True, kw_only=True)
class Xfail:
    """The case is expected to fail, when `when` holds (always without it)."""

    reason: str
    when: Expression | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The case is not run, when `when` holds (always without it)."""

    reason: str
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test as written; with a matrix it makes a case for each row."""

    name: str
    at: Location
    id: str = ""
    description: str = ""
    steps: tuple[Step, ...] = ()
    setup: tuple[Step, ...] = ()
    teardown: tuple[Step, ...] = ()
    when: Expression | None = None
    skip: Skip | None = None
    xfail: Xfail | None = None
    requires: tuple[str, ...] = ()
    matrix: tuple[Mapping[str, Any], ...] = ({},)
    """The rows, excludes taken out: names to typed values."""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Node] = field(default_factory=dict)
    timeout: Duration | None = None
    retries: int = 0
    retry_on: tuple[Literal["failed", "error"], ...] = ("failed", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The limits that a play sets; None where it sets none."""

    run: Duration | None = None
    test: Duration | None = None
    step: Duration | None = None
    at: Mapping[str, Location] = field(default_factory=dict, compare=False)
    """Where each of them is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a play changes about the watchers of consoles: names allowed, and patterns added by name."""

    enabled: bool = True
    allow: tuple[str, ...] = ()
    added: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A typed input of a play; `env` names the environment variable that may give it."""

    parameter: Parameter
    default: Node | None = None
    env: str = ""
    at: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One play: which benches, and what is done to each of them.

    The short form (`steps`) has been turned into tests, one for each top-level
    step, with `chained` set: the first failure skips the rest.
    """

    name: str
    at: Location
    description: str = ""
    benches: str = "all"
    benches_at: Location | None = None
    take: int | None = None
    """How many of the benches; None: all."""
    strategy: Literal["free", "lockstep", "shard"] = "free"
    max_parallel: int | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    variables: tuple[Definition, ...] = ()
    """From `vars_files` and `vars`, in order of rising precedence."""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    when: Expression | None = None
    timeout: Timeouts = Timeouts()
    watch: Watch = Watch()
    reserve_wait: Duration | None = None
    reserve_hold: Duration | None = None
    setup: tuple[Step, ...] = ()
    tests: tuple[Test, ...] = ()
    chained: bool = False
    teardown: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A file of plays. `name` is the file's stem, the first part of every case id."""

    path: str
    name: str
    plays: tuple[Play, ...]
    actions: Mapping[str, Action] = field(default_factory=dict)
    module_folders: tuple[str, ...] = ()
    """Folders with the user's own modules that it imports."""
