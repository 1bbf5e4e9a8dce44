"""Answers requests: configures, takes, uses and releases benches."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runner.agent.bench import Bench
from runner.agent.call import Call
from runner.agent.calls import (
    AboutBench,
    Answer,
    Configure,
    Examine,
    Inspect,
    Lift,
    Look,
    Put,
    Quarantine,
    Question,
    Release,
    Request,
    Reserve,
    Run,
    Take,
    TakenAway,
    Vacate,
)
from runner.agent.classes import class_at
from runner.agent.consoles import BeginFeed
from runner.agent.estate import Estate
from runner.agent.forwarding import Accept, Connect, Forward, Listen, Unforward, Unlisten
from runner.agent.limits import Limits
from runner.agent.outbox import Outbox
from runner.agent.people import People
from runner.agent.places import Places
from runner.agent.running import run_module
from runner.agent.stop import Stop
from runner.agent.timers import Timers
from runner.agent.wording import pack
from runner.agent.work import Workers
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.agent.forwards import Forwards
    from runner.agent.holds import Holds
    from runner.agent.locks import Locks
    from runner.agent.policy import Rules
    from runner.agent.quarantine import Quarantines

_SETTLE = 1.0
"""Seconds that an answer waits for the console bytes that came before it."""
_GONE_WITHIN = 20.0
"""Seconds that a release waits for the bench to be given back, which has begun without it."""
_STOP_WITHIN = 5.0
"""Seconds that what runs on a bench gets to stop when the bench is taken away."""


class Benches:
    """The benches of this host that the controller told us about."""

    def __init__(
        self,
        begin: BeginFeed,
        make_locks: Callable[[], Locks],
        make_quarantines: Callable[[], Quarantines],
        timers: Timers,
        workers: Workers,
        tell: Callable[[TakenAway | Question], None],
        places: Places,
        estate: Estate,
        make_rules: Callable[[], Rules],
    ) -> None:
        """Know of no bench yet; locks are made, and the host's rules read, when the first bench is taken.

        `tell` lets the controller know of a bench that was given back without its asking. `estate`
        gets what has to be done should we be killed.
        """
        self._estate = estate
        self._begin = begin
        self._make_locks = make_locks
        self._locks: Locks | None = None
        self._holds: Holds | None = None
        self._make_quarantines = make_quarantines
        self._making = threading.Lock()
        self._timers = timers
        self._workers = workers
        self._places = places
        self._tell = tell
        self._people = People(tell)
        self._benches: dict[str, Bench] = {}
        self._ended = threading.Condition()
        self._running: dict[str, set[Stop]] = {}
        self._away: dict[str, TakenAway] = {}
        self._going: set[str] = set()
        self._forwards: Forwards | None = None
        self._make_rules = make_rules
        self._rules: Rules | None = None

    def answer(self, request: Request, call: Call) -> Any:
        """Do what was asked and return the answer as JSON; raises whatever a module raises."""
        match request:
            case Run():
                return self._asked(request, call)
            case Put():
                return self._put(request, call)
            case Configure():
                return self.configure(request)
            case Take():
                return self._take(request, call)
            case Answer():
                return self._people.answer(request)
            case Release():
                return self._release(request.bench, call)
            case Connect() | Listen() | Accept() | Unlisten():
                return self._forwarding().answer(request, call, self._known(request.bench))
            case Forward() | Unforward():
                raise LabError("a forward begins with the controller")
            case _:
                return self._about(request, call)

    def _about(self, request: AboutBench, call: Call) -> Any:
        """Answer what is asked of the state of a bench, whoever has it."""
        if isinstance(request, Examine):
            from runner.agent.examine import examine

            return examine(request, self.rules)
        rules = self.rules()
        if isinstance(request, (Quarantine, Lift, Vacate)):
            rules.host.allow_bench(request.bench)
        if isinstance(request, (Reserve, Vacate)):
            request = dataclasses.replace(request, who=rules.whose(request.who))
        match request:
            case Quarantine() | Lift() | Inspect():
                return self._make_quarantines().answer(request)
            case Reserve() | Vacate() | Look():
                from runner.agent.reserving import answered

                if isinstance(request, Reserve):
                    rules.host.allow_reserving(request.bench, request.seconds)
                return answered(request, self._own_locks(), self._make_quarantines(), call.hear, call.stop)

    def obey(self, seconds: float) -> None:
        """Run the last orders of every bench that was not released, side by side; give up after so long."""
        self._people.leave()
        obeyed: list[threading.Event] = []
        for bench in tuple(self._benches.values()):
            if bench.configure.orders:
                obeyed.append(threading.Event())
                self._workers.run(functools.partial(self._obey, bench, obeyed[-1]))
        until = time.monotonic() + seconds
        for each in obeyed:
            each.wait(max(0.0, until - time.monotonic()))

    def _obey(self, bench: Bench, obeyed: threading.Event) -> None:
        for order in bench.configure.orders:
            try:
                self._run(order, Call(0, Outbox(_unheard)))
            except BaseException as error:  # noqa: BLE001 - the next order counts, and nobody else hears this
                _complain(f"bench {bench.configure.bench!r}, {order.path}: {type(error).__name__}: {error}")
        obeyed.set()

    def close(self, seconds: float) -> None:
        """Close all devices, the benches side by side, and drop all locks; give up after so long."""
        closed: list[threading.Event] = []
        for bench in tuple(self._benches.values()):
            closed.append(threading.Event())
            self._workers.run(functools.partial(_close, bench, closed[-1]))
        for each in closed:
            each.wait(seconds)
        if self._forwards is not None:
            self._forwards.close()
        if self._locks is not None:
            self._locks.drop_all()

    def _take(self, request: Take, call: Call) -> Any:
        request = self.rules().allowed(request)
        quarantines = self._make_quarantines()
        quarantines.refuse(request)
        if request.shared:
            self._learn(request)
            return {"taken": False}
        locks = self._own_locks()
        locks.take(request, call.hear, call.stop)
        try:
            quarantines.refuse(request)  # it may have come while we waited
        except LabError:
            locks.drop(request.bench)
            raise
        with self._ended:
            self._away.pop(request.bench, None)
        self._learn(request)
        self._watched().begin(request)
        return {"taken": True}

    def _own_locks(self) -> Locks:
        with self._making:
            if self._locks is None:
                self._locks = self._make_locks()
                self._locks.keeper = self._estate
            return self._locks

    def _watched(self) -> Holds:
        from runner.agent.holds import Holds  # benches that nobody shares do without

        locks = self._own_locks()
        with self._making:
            self._holds = self._holds or Holds(self._timers, self._workers, locks, self._give_back)
            return self._holds

    def _give_back(self, away: TakenAway) -> None:
        with self._ended:
            self._away[away.bench] = away
            self._going.add(away.bench)
        try:
            self._end_hold(away)
        finally:
            with self._ended:
                self._going.discard(away.bench)
                self._ended.notify_all()

    def _end_hold(self, away: TakenAway) -> None:
        """Give a bench back that we may not have any longer: as at the end of a run, but without its asking.

        Calls that do not stop would go on using the instruments, so then the whole agent ends.
        """
        name = away.bench
        with self._ended:
            running = tuple(self._running.get(name, ()))
        self._tell(away)
        for stop in running:
            stop.tell(away.why)
        with self._ended:
            stopped = self._ended.wait_for(lambda: not self._running.get(name), _STOP_WITHIN)
        if not stopped:
            _complain(f"bench {name!r}: what runs there does not stop, so the agent ends")
            os.kill(os.getpid(), signal.SIGTERM)
            return
        bench = self._benches.get(name)
        if bench is not None:
            self._obey(bench, threading.Event())
            self._benches.pop(name, None)
            self._forget_orders(bench)
            for each in bench.close():
                _complain(f"bench {name!r} did not close well: {type(each).__name__}: {each}")
        self._own_locks().drop(name)

    def _learn(self, request: Take) -> None:
        if request.configure is not None:
            self.configure(request.configure)

    def configure(self, request: Configure) -> None:
        """Know what a bench consists of, and what has to be done at its end."""
        known = self._benches.get(request.bench)
        if known is not None and known.configure == request:
            return
        policies = self.rules().with_file(request.policy)
        for policy in policies:
            policy.allow_bench(request.bench)
            policy.allow_devices(request.devices)
        self._benches[request.bench] = Bench(
            request, self._begin, self._places.fetched, policies, self._people.at_the_terminal
        )
        if request.orders or (known is not None and known.configure.orders):
            self._estate.keep_orders(pack(request))
        if known is not None:
            _raise_any(known.close(), request.bench)

    def _release(self, name: str, call: Call) -> None:
        if self._holds is not None:
            self._holds.stop(name)
        with self._ended:
            self._ended.wait_for(lambda: name not in self._going, _GONE_WITHIN)
        bench = self._benches.pop(name, None)
        self._forget_orders(bench)
        try:
            _raise_any(bench.close(call.save) if bench is not None else [], name)
        finally:
            if self._locks is not None:
                self._locks.drop(name)

    def _forget_orders(self, bench: Bench | None) -> None:
        if bench is not None and bench.configure.orders:
            self._estate.keep_orders(pack(Release(bench.configure.bench)))

    def _put(self, request: Put, call: Call) -> Any:
        self.rules().host.allow_bench(request.bench)
        limits = Limits(request, call.stop, self._timers, self._workers)
        try:
            return self._places.put(request, call)
        finally:
            limits.end()

    def _asked(self, request: Run, call: Call) -> Any:
        with self._ended:
            self._refuse_away(request.bench)
            self._running.setdefault(request.bench, set()).add(call.stop)
        try:
            return self._run(request, call)
        except Exception:
            self._refuse_away(request.bench)
            raise
        finally:
            with self._ended:
                self._running[request.bench].discard(call.stop)
                self._ended.notify_all()

    def _refuse_away(self, bench: str) -> None:
        away = self._away.get(bench)
        if away is not None:
            raise LabError(away.why, evidence={"taken_away": away.why}, hint=away.hint)

    def _known(self, name: str) -> Bench:
        bench = self._benches.get(name)
        if bench is None:
            raise LabError(f"bench {name!r} is not configured on this agent")
        return bench

    def rules(self) -> Rules:
        """Return what this host allows, read once."""
        with self._making:
            self._rules = self._rules or self._make_rules()
            return self._rules

    def _forwarding(self) -> Forwards:
        from runner.agent.forwards import Forwards

        with self._making:
            self._forwards = self._forwards or Forwards()
            return self._forwards

    def _run(self, request: Run, call: Call) -> Any:
        bench = self._known(request.bench)
        limits = Limits(request, call.stop, self._timers, self._workers)
        try:
            for policy in bench.policies:
                policy.allow_run(request.path)
            fetches = str(getattr(class_at(request.path), "fetches", ""))
            arguments = self._places.fetched(request.arguments, call.hear, call.stop, fetches)
            return run_module(dataclasses.replace(request, arguments=arguments), bench, call, limits)
        finally:
            limits.end()
            bench.settle(_SETTLE)


def _unheard(_data: bytes) -> None:
    """Take what a last order says: whoever would hear it has gone."""


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):  # stderr may have gone with the controller
        sys.stderr.write(f"runner agent: last order of {text}\n")


def _close(bench: Bench, closed: threading.Event) -> None:
    bench.close()
    closed.set()


def _raise_any(problems: list[Exception], bench: str) -> None:
    if problems:
        told = "; ".join(f"{type(each).__name__}: {each}" for each in problems)
        raise LabError(f"bench {bench!r} did not close well: {told}") from problems[0]
