"""Logging in: kernel, init, ``login:``, password, shell, and everything that comes instead.

Nothing is sent before there is a reason: a prompt, or silence after Linux was heard. Enter
would stop autoboot, or repeat the last command of U-Boot.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.api import Context, Duration, Failed, Secret, TimedOut
from runner.console.enter import enter, proven
from runner.console.expectation import Expectation
from runner.console.frame import Nonces
from runner.console.keyboard import comes_back
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, exact, regex
from runner.console.results import LoggedIn
from runner.console.search import Sighting
from runner.console.waiting import limit_evidence, shown
from runner.console.watched import EMERGENCY, INITRAMFS, PANIC

_KERNEL_STAMP = r"(?:<\d>)?(?:\[[ \d.]+\](?:\[ *[TC]\d+\])? )?"
_FAILURES = (
    regex(rf"^{_KERNEL_STAMP}{PANIC}", "the kernel panics"),
    regex(r"^(?:Login incorrect|Authentication failure)", "the login is refused"),
    regex(
        r"required to change your password|[Pp]assword has expired|^\(?(?:current\)|New|new) [^\n]*assword:",
        "the password has expired",
    ),
    regex(EMERGENCY, "an emergency shell came up"),
    exact(INITRAMFS, "the initramfs shell came up"),
)
_ACTIVATE = exact("press Enter to activate this console", "activate")
_LINUX = (b"Linux version ", b"Starting kernel", b"Booting Linux", b"login: ", b"[  OK  ]")
_AUTOBOOT = (b"autoboot", b"any key")
_TRIES = 3


@dataclass
class _Visit:
    """What has been seen and sent so far."""

    start: int
    seen: int
    names: int = 0
    passwords: int = 0
    touched: float = 0.0
    """When something was sent or recognised last."""
    asked: int | None = None
    """Where something was sent: a prompt behind that need not be the last thing, a log may go on."""


class _Login:
    """One login on one console."""

    def __init__(self, live: Live, nonces: Nonces, context: Context, deadline: Deadline) -> None:
        self._live = live
        self._nonces = nonces
        self._context = context
        self._deadline = deadline
        settings = live.settings
        self._prompts = {
            "login": regex(settings.login.login_prompt, "login"),
            "password": regex(settings.login.password_prompt, "password"),
            "shell": regex(rf"^[^\n]{{0,120}}?(?:{settings.prompt})", "shell"),
        }
        start = live.transcript.last
        self._visit = _Visit(start, start, touched=live.clock())

    @property
    def start(self) -> int:
        """The raw offset from which on prompts count."""
        return self._visit.start

    @property
    def already(self) -> bool:
        """Whether nobody was asked who he is."""
        return self._visit.names == 0 and self._visit.passwords == 0

    def until_shell(self, user: str, password: str) -> bool:
        """Answer what is asked until a shell has proven itself; False when the time is over."""
        live = self._live
        while live.clock() < self._deadline.until:
            sighting = self._next()
            if sighting is None:
                self._have_prompt_again()
                continue
            self._visit.seen = sighting.end
            if sighting.pattern is _ACTIVATE:
                self._press(live.settings.newline)
            elif sighting.pattern is self._prompts["login"]:
                self._give_name(sighting, user)
            elif sighting.pattern is self._prompts["password"]:
                self._give_password(sighting, password)
            elif self._is_shell(sighting):
                return True
        return False

    def _next(self) -> Sighting | None:
        """Wait for the next prompt; None when it is time to ask for it. Raise Failed for a bad end."""
        live, visit = self._live, self._visit
        patterns: tuple[Pattern, ...] = (*self._prompts.values(), _ACTIVATE)
        with live.source.lock:
            expectation = Expectation(live.transcript, patterns, visit.seen, forbid=_FAILURES)
        with live.listening(expectation):
            live.wait(expectation, min(self._next_question(), self._deadline.until), self._context)
        if expectation.forbidden is not None:
            raise self._failure(expectation.forbidden)
        return expectation.found[-1] if expectation.done else None

    def _next_question(self) -> float:
        idle = self._live.settings.login.idle
        return max(self._visit.touched + idle / 2, self._live.clock() + idle / 4)

    def _waits(self, sighting: Sighting) -> bool:
        """Tell whether a prompt still waits: nothing has ended its line, or it answers to us."""
        if sighting.kernel:
            return False
        asked = self._visit.asked
        return (asked is not None and sighting.start >= asked) or (
            self._live.transcript.text.find(b"\n", sighting.hit.end) < 0
        )

    def _give_name(self, sighting: Sighting, user: str) -> None:
        if not self._waits(sighting):
            return
        visit, live = self._visit, self._live
        visit.names += 1
        if visit.names > _TRIES:
            raise Failed(
                f"console {live.name!r}: the login asks for a name again and again",
                evidence=limit_evidence(live, self._deadline, visit.start),
            )
        for _ in range(_TRIES):
            if comes_back(live, user.encode(), self._deadline, self._context):
                break
            self._context.log(f"console {live.name!r}: the login swallowed what was typed; it is typed again")
            live.send(b"\x15", self._context)
        self._press(live.settings.newline)

    def _give_password(self, sighting: Sighting, password: str) -> None:
        if not self._waits(sighting):
            return
        if not self._visit.names:  # asked for a name that somebody else typed
            password = ""
        self._visit.passwords += 1
        self._press(password + self._live.settings.newline)

    def _is_shell(self, sighting: Sighting) -> bool:
        if not self._waits(sighting):
            return False
        self._visit.touched = self._live.clock()
        if proven(self._live, self._nonces, self._deadline, self._context):
            enter(self._live, self._nonces, self._deadline, self._context)
            return True
        return False

    def _press(self, keys: str) -> None:
        self._visit.asked = self._live.transcript.position
        self._live.send(keys.encode(), self._context)
        self._visit.touched = self._live.clock()

    def _have_prompt_again(self) -> None:
        """Press Enter when nothing else explains the silence, or when a log hides the prompt."""
        live, visit, idle = self._live, self._visit, self._live.settings.login.idle
        now, heard = live.clock(), live.transcript.heard
        if now - visit.touched < idle / 2:
            return
        if heard is None and live.transcript.marked_at("power_on") is None:
            self._press("\x03")  # nothing is known: harmless in U-Boot, and gives a prompt everywhere
        elif heard is not None and self._may_ask(now - heard, now - visit.touched):
            self._press(live.settings.newline)

    def _may_ask(self, silence: float, waited: float) -> bool:
        """Tell whether Enter can do no harm: not to autoboot, and not to U-Boot's prompt."""
        idle = self._live.settings.login.idle
        if self._in_uboot():
            return False
        if self._linux_heard():
            return silence >= idle or waited >= 3 * idle
        return silence >= 5 * idle

    def _linux_heard(self) -> bool:
        transcript = self._live.transcript
        if transcript.marked_at("power_on") is None:
            return True
        origin = transcript.since("power_on")
        text, kernel = transcript.text, transcript.kernel
        begin = text.offset_of(origin)
        return kernel.end > kernel.offset_of(origin) or any(text.find(word, begin) >= 0 for word in _LINUX)

    def _in_uboot(self) -> bool:
        text = self._live.transcript.text
        last = text.slice(text.line_start(text.end), text.end)
        prompt = self._live.settings.uboot.prompt.encode()
        if last == prompt:
            raise Failed(
                f"console {self._live.name!r}: the board is at the U-Boot prompt",
                evidence={"tail": self._live.transcript.tail(8)},
                hint="boot it first",
            )
        return any(word in last for word in _AUTOBOOT)

    def _failure(self, sighting: Sighting) -> Failed:
        live = self._live
        live.transcript.last = sighting.end
        line = live.transcript.merged(sighting.start, sighting.end + 200).split(b"\n")[0]
        return Failed(
            f"console {live.name!r}: {sighting.pattern.name}: {shown(line).strip()!r}",
            evidence={"seen": shown(line), "offset": sighting.start, "tail": live.transcript.tail(12)},
        )


def login(
    live: Live,
    nonces: Nonces,
    context: Context,
    *,
    user: str,
    password: Secret | str | None,
    within: Duration,
) -> LoggedIn:
    """Get to a shell that answers. See `Console.login`."""
    deadline = Deadline(live, within, "within", context)
    live.place = Place()
    visit = _Login(live, nonces, context, deadline)
    if not visit.until_shell(user, password or ""):
        live.check_present()
        raise TimedOut(
            f"console {live.name!r}: no shell within {Duration(deadline.seconds)}",
            evidence=limit_evidence(live, deadline, visit.start),
        )
    return LoggedIn(already=visit.already, elapsed=Duration(live.clock() - deadline.started))
