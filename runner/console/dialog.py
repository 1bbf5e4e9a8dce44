"""A dialog: questions of the board and their answers, until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.api import Context, Duration, Failed, RecipeFault, TimedOut
from runner.console.expectation import Expectation
from runner.console.live import Deadline, Live
from runner.console.pattern import Pattern
from runner.console.results import Answered, Talked
from runner.console.search import Sighting
from runner.console.waiting import limit_evidence, shown

_KEPT = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """What is typed when a question comes; `times`: how often it may come, None for any number."""

    question: Pattern
    keys: bytes
    times: int | None = 1


@dataclass
class _Talk:
    """How far it has come."""

    at: int
    asked: dict[str, int]
    answered: list[Answered] = field(default_factory=list)
    end: Sighting | None = None


def talk(
    live: Live,
    replies: Sequence[Reply],
    context: Context,
    *,
    until: Pattern | None,
    forbid: Sequence[Pattern],
    ordered: bool,
    within: Duration,
    since: str,
) -> Talked:
    """Answer questions until the end. See `Console.dialog`."""
    deadline = Deadline(live, within, "within", context)
    try:
        start = live.transcript.since(since)
    except KeyError:
        raise RecipeFault(f"console {live.name!r} has no mark {since!r}") from None
    so_far = _Talk(at=start, asked={reply.question.name: 0 for reply in replies})
    while not _over(so_far, replies, until, ordered=ordered):
        sighting = _next(
            live, _open(so_far, replies, until, ordered=ordered), forbid, so_far, deadline, context
        )
        so_far.at = live.transcript.last = sighting.end
        if sighting.pattern is until:
            so_far.end = sighting
        else:
            _reply(live, sighting, replies, so_far, deadline, context)
    return _talked(live, so_far, start, deadline)


def _over(so_far: _Talk, replies: Sequence[Reply], until: Pattern | None, *, ordered: bool) -> bool:
    if until is not None:
        return so_far.end is not None
    if ordered:
        return len(so_far.answered) >= sum(reply.times or 1 for reply in replies)
    return all(so_far.asked[reply.question.name] >= (reply.times or 1) for reply in replies)


def _open(
    so_far: _Talk, replies: Sequence[Reply], until: Pattern | None, *, ordered: bool
) -> tuple[Pattern, ...]:
    """Return what may come next."""
    end = () if until is None else (until,)
    if not ordered:
        return (*end, *(reply.question for reply in replies))
    left = [reply for reply in replies if so_far.asked[reply.question.name] < (reply.times or 1)]
    return (left[0].question,) if left else end


def _next(
    live: Live,
    patterns: Sequence[Pattern],
    forbid: Sequence[Pattern],
    so_far: _Talk,
    deadline: Deadline,
    context: Context,
) -> Sighting:
    with live.source.lock:
        seen = Expectation(live.transcript, patterns, so_far.at, forbid=forbid)
    with live.listening(seen):
        live.wait(seen, deadline.until, context)
    if seen.forbidden is not None:
        raise Failed(
            f"console {live.name!r} said {shown(seen.forbidden.hit.text)!r}, which must not appear",
            evidence={"pattern": seen.forbidden.pattern.source, "tail": live.transcript.tail(8)},
        )
    if seen.done:
        return seen.found[-1]
    live.check_present()
    waiting = " or ".join(repr(pattern.source) for pattern in patterns[:4])
    raise TimedOut(
        f"console {live.name!r}: the dialog has not ended within {Duration(deadline.seconds)}, "
        f"{len(so_far.answered)} questions were answered; it waits for {waiting}",
        evidence={
            "pattern": [pattern.source for pattern in patterns],
            "answered": [each.name for each in so_far.answered],
            **limit_evidence(live, deadline, so_far.at, patterns),
        },
    )


def _reply(
    live: Live,
    sighting: Sighting,
    replies: Sequence[Reply],
    so_far: _Talk,
    deadline: Deadline,
    context: Context,
) -> None:
    reply = next(each for each in replies if each.question is sighting.pattern)
    name, question = reply.question.name, shown(sighting.hit.text)
    so_far.asked[name] += 1
    if reply.times is not None and so_far.asked[name] > reply.times:
        raise Failed(
            f"console {live.name!r} asks {question!r} again: the answer was given "
            f"{reply.times} time{'' if reply.times == 1 else 's'}",
            evidence={"pattern": reply.question.source, "tail": live.transcript.tail(8)},
            hint="is the answer refused? Set `times` when the question comes several times",
        )
    came = live.transcript.time_of(sighting.certain - 1) or deadline.started
    elapsed = Duration(max(came - deadline.started, 0.0))
    so_far.answered.append(Answered(name=name, question=question, elapsed=elapsed))
    live.send(reply.keys, context)


def _talked(live: Live, so_far: _Talk, start: int, deadline: Deadline) -> Talked:
    text, end = live.transcript.text, live.transcript.text.offset_of(so_far.at)
    return Talked(
        answered=tuple(so_far.answered),
        unasked=tuple(name for name, count in so_far.asked.items() if not count),
        ended_by=shown(so_far.end.hit.text) if so_far.end else "",
        transcript=shown(text.slice(max(text.offset_of(start), end - _KEPT), end)),
        elapsed=Duration(max(live.clock() - deadline.started, 0.0)),
    )
