"""Expecting: wait for patterns, and say what is wrong when they do not come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from runner.api import Context, Duration, Failed, RecipeFault, TimedOut
from runner.console.evidence import Said, nearest
from runner.console.expectation import Expectation, Mode
from runner.console.live import Deadline, Live
from runner.console.pattern import Pattern, Patterns, as_patterns
from runner.console.results import Found, Match
from runner.console.search import Sighting

_BEFORE = 64 * 1024


def expect(
    live: Live,
    patterns: Patterns,
    context: Context,
    *,
    within: Duration,
    since: str = "last",
    forbid: Patterns = (),
    absent: bool = False,
    mode: Mode = "any",
    count: int = 1,
    origin: str = "within",
) -> Match:
    """Wait for patterns from a cursor on; see `Console.expect`."""
    wanted, unwanted = _checked(patterns), _checked(forbid)
    start = _start(live, since)
    deadline = Deadline(live, within, origin, context)
    with live.source.lock:
        _warn_of_loss(live, start, context)
        expectation = Expectation(live.transcript, wanted, start, forbid=unwanted, mode=mode, count=count)
    with live.listening(expectation):
        live.wait(expectation, deadline.until, context)
    if expectation.forbidden is not None:
        raise _forbidden(live, expectation.forbidden, deadline)
    if absent:
        return _absent(live, expectation, deadline)
    if not expectation.done:
        live.check_present()
        raise _timed_out(live, expectation, start, deadline)
    live.transcript.last = max(sighting.end for sighting in expectation.found)
    return match_of(live, expectation.found, start, deadline.started)


def _checked(patterns: Patterns) -> tuple[Pattern, ...]:
    try:
        return as_patterns(patterns)
    except ValueError as error:
        raise RecipeFault(str(error)) from error


def _start(live: Live, since: str) -> int:
    try:
        return live.transcript.since(since)
    except KeyError:
        known = ", ".join(("last", "now", *live.transcript.marks))
        raise RecipeFault(f"console {live.name!r} has no mark {since!r}; there are {known}") from None


def _warn_of_loss(live: Live, start: int, context: Context) -> None:
    kept = live.transcript.kept_from()
    if start < kept:
        context.log(
            f"console {live.name!r}: {kept - start} bytes since the cursor are only in the raw log; "
            "they are not searched",
            "warning",
        )


def match_of(live: Live, found: Sequence[Sighting], start: int, started: float) -> Match:
    """Make the result of the last of several sightings."""
    last = found[-1]
    text = live.transcript.text
    begin = max(text.offset_of(start), text.offset_of(last.start) - _BEFORE)
    before = text.slice(begin, text.offset_of(last.start))
    every = tuple(_found(live, sighting, started) for sighting in found)
    one = every[-1]
    return Match(
        name=one.name,
        text=one.text,
        groups=one.groups,
        named=one.named,
        before=shown(before),
        offset=one.offset,
        elapsed=one.elapsed,
        kernel=one.kernel,
        found=every,
    )


def _found(live: Live, sighting: Sighting, started: float) -> Found:
    came = live.transcript.time_of(sighting.certain - 1)
    hit = sighting.hit
    return Found(
        name=sighting.pattern.name,
        text=shown(hit.text),
        groups=tuple(None if group is None else shown(group) for group in hit.groups),
        named={name: None if group is None else shown(group) for name, group in hit.named.items()},
        offset=sighting.start,
        elapsed=Duration(max((came or started) - started, 0.0)),
        kernel=sighting.kernel,
    )


def _absent(live: Live, expectation: Expectation, deadline: Deadline) -> Match:
    if expectation.done:
        raise _forbidden(live, expectation.found[-1], deadline)
    live.check_present()
    return Match(
        name="",
        text="",
        named={},
        before="",
        offset=live.transcript.position,
        elapsed=Duration(deadline.seconds),
    )


def _forbidden(live: Live, sighting: Sighting, deadline: Deadline) -> Failed:
    came = live.transcript.time_of(sighting.certain - 1)
    seconds = max((came or deadline.started) - deadline.started, 0.0)
    line = shown(sighting.hit.text)
    return Failed(
        f"console {live.name!r} said {line!r} after {Duration(seconds)}, which must not appear"
        + _called(sighting),
        evidence={
            "pattern": sighting.pattern.source,
            "seen": line,
            "offset": sighting.start,
            "tail": live.transcript.tail(8),
        },
    )


def _called(sighting: Sighting) -> str:
    pattern = sighting.pattern
    return "" if pattern.name == pattern.source else f" ({pattern.name})"


def _timed_out(live: Live, expectation: Expectation, start: int, deadline: Deadline) -> TimedOut:
    missing = expectation.missing
    names = " or ".join(repr(pattern.source) for pattern in missing[:4])
    evidence = limit_evidence(live, deadline, start, missing)
    within = Duration(deadline.seconds)
    if "nearest" in evidence:
        what = f"expected {names} within {within}, saw {evidence['nearest']!r} {evidence['nearest_at']}"
    else:
        what = f"no {names} within {within}" + ("" if evidence["tail"] else ", nothing came")
    return TimedOut(
        f"console {live.name!r}: {what}",
        evidence={
            "pattern": [pattern.source for pattern in missing],
            "found": [sighting.pattern.name for sighting in expectation.found],
            **evidence,
        },
    )


def limit_evidence(
    live: Live, deadline: Deadline, start: int, missing: Sequence[Pattern] = ()
) -> dict[str, object]:
    """Say which limit fired, what came last and how long ago, and what came nearest to what is missing."""
    heard = live.transcript.heard
    evidence: dict[str, object] = {
        "within": deadline.seconds,
        "limit": deadline.origin,
        "tail": live.transcript.tail(8, start),
        "last_byte_age": None if heard is None else round(max(live.clock() - heard, 0.0), 3),
    }
    near = nearest(missing, starmap(Said, live.transcript.last_lines(start)))
    if near is not None:
        evidence["nearest"] = near.line
        evidence["nearest_at"] = _after(near.at, deadline.started)
    return evidence


def _after(at: float | None, started: float) -> str:
    if at is None or at < started:
        return "before the wait began"
    return f"at +{at - started:.1f} s"


def shown(data: bytes) -> str:
    """Decode bytes for people and recipes; what is not UTF-8 stays visible."""
    return data.decode("utf-8", "backslashreplace")
