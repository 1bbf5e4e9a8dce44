"""Handing over to a kernel: type the command, and have the kernel's first line prove it."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, RecipeFault, TimedOut
from runner.console import frame
from runner.console.complaints import GIVES_UP, explained
from runner.console.expectation import Expectation
from runner.console.keyboard import type_line
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, regex
from runner.console.results import Booted
from runner.console.search import Sighting
from runner.console.uboot import Prompt, find_prompt
from runner.console.waiting import limit_evidence, shown

_LINUX = (
    regex(r"^(?:<\d+>)?(?:\[[ \d.]+\](?:\[ *[TC]\d+\])? )?(?:Linux version \d|Booting Linux on )", "kernel"),
    regex(r"^Uncompressing Linux", "kernel"),
    regex(r"^(?:<\d+>)?(?:\[[ \d.]+\](?:\[ *[TC]\d+\])? )?Run \S+ as init process", "kernel"),
    regex(r"^(?:INIT: version |systemd\[1\]: |init started: )", "kernel"),
)
"""A kernel told to be quiet says nothing: then the first word of init is the proof."""


def boot(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    context: Context,
    *,
    within: Duration,
    first_line: str,
) -> Booted:
    """Start a kernel. See `Console.boot_kernel`."""
    frame.refuse_untypable(command, "the command")
    proofs: tuple[Pattern, ...] = (*_LINUX, regex(live.settings.login.login_prompt, "kernel"))
    proofs = (_own(first_line),) if first_line else proofs
    deadline = Deadline(live, within, "within", context)
    if live.place.kind != "uboot":
        live.place = find_prompt(live, nonces, deadline, context)
    type_line(live, command, deadline, context)
    handing = _Handing(live, proofs)
    started = live.clock()
    live.place = Place()
    with live.listening(handing):
        live.send(live.settings.newline.encode(), context)
        live.wait(handing, deadline.until, context)
    if handing.proof is None:
        raise _not_started(live, command, handing, deadline)
    return _booted(live, handing.proof, started)


def _own(text: str) -> Pattern:
    try:
        return regex(text, "kernel")
    except ValueError as error:
        raise RecipeFault(str(error)) from error


class _Handing:
    """Listens for the proof; the prompt or the loader's last words end it as well."""

    def __init__(self, live: Live, proofs: tuple[Pattern, ...]) -> None:
        self._live = live
        with live.source.lock:
            self.start = live.transcript.position
            live.stages.expect_kernel(self.start, live.clock())
            self._expectation = Expectation(
                live.transcript, proofs, self.start, forbid=(regex(GIVES_UP, "gives up"),)
            )
            self._prompt = Prompt(live, self.start)

    @property
    def done(self) -> bool:
        return self._expectation.done or self._prompt.done

    @property
    def proof(self) -> Sighting | None:
        return self._expectation.found[-1] if self._expectation.found else None

    @property
    def back(self) -> bool:
        """Whether the prompt is there again."""
        return self._prompt.done

    @property
    def gave_up(self) -> bool:
        return self._expectation.forbidden is not None

    def advance(self, *, quiet: bool) -> None:
        self._expectation.advance(quiet=quiet)
        if not self._expectation.done:
            self._prompt.advance(quiet=quiet)


def _booted(live: Live, proof: Sighting, started: float) -> Booted:
    transcript = live.transcript
    with live.source.lock:
        transcript.last = proof.start  # what follows the first line is for others to look at
        came = transcript.time_of(proof.start) or live.clock()
        text = transcript.text
        begin = text.raw_of(text.line_start(text.offset_of(proof.start)))
        begin = proof.start if proof.kernel else begin
        line = transcript.merged(begin, transcript.position).split(b"\n")[0]
        return Booted(
            first_line=shown(line).strip(),
            elapsed=Duration(max(came - started, 0.0)),
            boot=live.stages.boot,
        )


def _not_started(live: Live, command: str, handing: _Handing, deadline: Deadline) -> Failed:
    live.check_present()
    output = shown(live.transcript.merged(handing.start, live.transcript.position))
    evidence = {"command": command, **limit_evidence(live, deadline, handing.start)}
    name = f"console {live.name!r}: {command[:60]!r}"
    if handing.back:
        live.place = Place(kind="uboot", hush=live.settings.uboot.hush is not False)
        return Failed(
            f"{name} came back to the prompt without a kernel{explained(output)}", evidence=evidence
        )
    if handing.gave_up:
        return Failed(f"{name} ended badly{explained(output)}", evidence=evidence)
    what = "the kernel was started and says nothing" if "Starting kernel" in output else "no kernel speaks"
    return TimedOut(f"{name}: {what} within {Duration(deadline.seconds)}", evidence=evidence)
