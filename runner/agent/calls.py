"""What controller and agent say to each other, as data: requests, what is heard meanwhile, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.agent.forwarding import Accept, Connect, Forward, Listen, Unforward, Unlisten


@dataclass(frozen=True)
class DeviceSpec:
    """How to make a device: the driver's class as ``package.file:Class`` and its encoded options.

    `devices`: for each of the driver's slots, the path of the device it works through, or None.
    """

    driver: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    devices: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class WatchSpec:
    """What consoles are watched for: everything but `allow` (names), and `added` (names to patterns)."""

    allow: Sequence[str] = ()
    added: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Configure:
    """Tell the agent what a bench consists of; opens nothing. `aliases`: name to dotted path.

    `watch`: what its consoles are watched for, None for nothing. `orders`: what to run when
    the controller goes without having released the bench. `seed`: what the names in typed
    commands are made from, so that they can be made again; None for chance. `policy`: a file of
    the host that counts besides its own; it has to be there.
    """

    bench: str
    devices: Mapping[str, DeviceSpec]
    aliases: Mapping[str, str] = field(default_factory=dict)
    watch: WatchSpec | None = field(default_factory=WatchSpec)
    orders: tuple[Run, ...] = ()
    seed: int | None = None
    policy: str = ""


@dataclass(frozen=True)
class Take:
    """Lock a bench for this run; waits up to `wait` seconds, then the answer names the holder.

    A bench in quarantine is refused at once. `shared`: nothing else is looked at, and nothing locked.
    `configure`: what the bench consists of, so that taking it costs one round trip. `who`: whose run
    it is, user@host. `hold`: seconds until the agent gives it back by itself, and where that is set.
    """

    bench: str
    holder: str
    wait: float = 0.0
    shared: bool = False
    configure: Configure | None = None
    who: str = ""
    hold: float | None = None
    hold_origin: str = ""


@dataclass(frozen=True)
class Run:
    """Run a module: its class as ``package.file:Class`` and its encoded arguments.

    `devices`: slot to device path (``board.console``), or to a list of paths for a slot that
    takes every device, or to None. `limit`: seconds until it is cancelled. `idle`: seconds
    without a console byte until it is cancelled. `predict`: only ask it what it would do.
    """

    bench: str
    path: str
    arguments: Mapping[str, Any]
    devices: Mapping[str, Any]
    limit: float
    limit_origin: str = ""
    idle: float | None = None
    predict: bool = False


@dataclass(frozen=True)
class Release:
    """Close a bench's devices in reverse order of opening and drop its lock."""

    bench: str


@dataclass(frozen=True)
class Quarantine:
    """Have nobody take a bench until somebody lifts that. `who`: user@host of who asks for it."""

    bench: str
    reason: str
    who: str
    run: str = ""


@dataclass(frozen=True)
class Lift:
    """End the quarantine of a bench."""

    bench: str


@dataclass(frozen=True)
class Inspect:
    """Ask whether a bench is in quarantine."""

    bench: str


@dataclass(frozen=True)
class Put:
    """Have a file on the host, under this name; answered with its path there.

    Unless the host has it, the event ``Wanted`` says from where on its content is to follow, as
    DATA (`runner.agent.bulk`). `stored`: bytes outside of holes. `limit`: seconds.
    """

    bench: str
    name: str
    sha256: str
    size: int
    stored: int
    limit: float
    limit_origin: str = ""


@dataclass(frozen=True)
class Reserve:
    """Keep a bench for somebody, user@host, for so long; waits for it as a Take does."""

    bench: str
    who: str
    seconds: float
    reason: str = ""
    wait: float = 0.0


@dataclass(frozen=True)
class Vacate:
    """End one's reservation of a bench; by force that of anybody else, and the hold of a run, too."""

    bench: str
    who: str
    force: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Look:
    """Ask how a bench stands: who holds it, who waits for it, whether it is reserved or in quarantine."""

    bench: str


@dataclass(frozen=True)
class Examine:
    """Ask what the host is like, and whether it has what these devices need; opens none of them."""

    bench: str
    devices: Mapping[str, DeviceSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came of the Question of this number: ``yes``, ``no``; empty when nobody can be asked."""

    bench: str
    number: int
    text: str


AboutBench = Quarantine | Lift | Inspect | Reserve | Vacate | Look | Examine
"""What is asked of the state of a bench, whoever has it."""
Request = (
    Put
    | Answer
    | Configure
    | Take
    | Run
    | Release
    | Quarantine
    | Lift
    | Inspect
    | Reserve
    | Vacate
    | Look
    | Examine
    | Forward
    | Unforward
    | Connect
    | Listen
    | Accept
    | Unlisten
)


@dataclass(frozen=True)
class Said:
    """A log line of a module or driver."""

    text: str
    level: str = "info"


@dataclass(frozen=True)
class Advanced:
    """Progress of a module."""

    done: float
    total: float | None = None
    unit: str = "B"


@dataclass(frozen=True)
class Noted:
    """A number that a module measured.

    `lasting`: the board has shown it on a console, so it stays true when the module is run again.
    """

    name: str
    value: float
    unit: str = ""
    lasting: bool = False


@dataclass(frozen=True)
class Saving:
    """A file begins to come: for the artifacts, or for `target` of the controller (`runner.api.Keep`)."""

    name: str
    size: int | None
    target: str = ""
    mode: int | None = None
    replace: bool = True
    parents: bool = True


@dataclass(frozen=True)
class Piece:
    """More of a file that comes."""

    data: bytes


@dataclass(frozen=True)
class Saved:
    """A file has come to its end."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Opened:
    """A device was opened for the first time."""

    bench: str
    device: str
    driver: str
    seconds: float


@dataclass(frozen=True)
class Waiting:
    """A bench is held by somebody else, and we wait, at this place of a queue."""

    bench: str
    holder: str
    place: int = 1
    queue: int = 1


@dataclass(frozen=True)
class TakenAway:
    """The host has given a bench back that was ours; belongs to no call."""

    bench: str
    why: str
    hint: str = ""


@dataclass(frozen=True)
class ConsoleBytes:
    """Bytes that a console received, stamped where they were read.

    `index` of the first byte in this console's stream, from 0. A gap in the port's life is
    an entry with no data and the reason in `gap`.
    """

    bench: str
    device: str
    index: int
    monotonic_ns: int
    wall_ns: int
    data: bytes
    gap: str = ""


@dataclass(frozen=True)
class Alarm:
    """A console has said something that fails whatever step runs; see `runner.console.alarm`.

    `state`: ``seen`` (told at once), then, under the same `number`, ``sure`` (it counts; `tail` has
    what followed) or ``nothing`` (`why` says why). `offset` and `log_line` are places in the raw log.
    """

    bench: str
    device: str
    number: int
    state: Literal["seen", "sure", "nothing"]
    name: str = ""
    title: str = ""
    line: str = ""
    offset: int = 0
    log_line: int = 0
    tail: str = ""
    others: Sequence[str] = ()
    why: str = ""


@dataclass(frozen=True)
class Listening:
    """A console is read from now on; `settings` are its `ConsoleSettings`, encoded."""

    bench: str
    device: str
    monotonic_ns: int
    settings: Mapping[str, Any]
    seed: int | None = None


@dataclass(frozen=True)
class Typed:
    """Bytes that are about to be typed on a console."""

    bench: str
    device: str
    monotonic_ns: int
    data: bytes


@dataclass(frozen=True)
class Switched:
    """A power switch was asked something, by the `method` of `runner.api.Power`, and what came of it.

    `answer` is encoded; `ended` says how the driver refused, with the fields of `Ended`.
    """

    bench: str
    device: str
    method: str
    began_ns: int
    ended_ns: int
    answer: Any = None
    ended: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """A driver wants somebody at the controller's terminal to do something; belongs to no call.

    Without a text, the one of this number is withdrawn.
    """

    bench: str
    number: int
    device: str
    text: str


Told = Said | Advanced | Noted | Opened | Waiting | TakenAway | Question | Saving | Piece | Saved
Heard = Told | ConsoleBytes | Alarm | Listening | Typed | Switched


@dataclass(frozen=True)
class Ended:
    """A bad end. `verdict`: class name in `runner.api.verdicts`, or ``Crash``; `result`: encoded, if any."""

    verdict: str
    kind: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    traceback: str = ""
    result: Any = None
