"""One virtual device of Corellium: switched and deleted, and waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import quote

from runner.api import Context, Duration, LabError
from runner.modules.corellium.answers import Instance, Snapshot
from runner.modules.corellium.instance import OwnInstance
from runner.modules.corellium.options import Wanted
from runner.modules.corellium.patience import Patience

_QUICK = 3
"""How many looks may show an instance unchanged that was told to restart."""
_RUNS = ("on", "paused", "booting", "rebooting")
Move = Callable[[Patience], None]


class VirtualDevice:
    """An instance, by its name or its id; there need not be one.

    Every order looks at the instance until it is as it was wanted, `poll_interval` after `poll_interval`,
    and does what leads there once. An instance in the state `error` ends an order with the API's words.
    """

    def __init__(self, own: OwnInstance, wanted: Wanted, seen: Callable[[Instance | None], None]) -> None:
        """Take the instance; `seen` is told of it at every look of an order."""
        self.own = own
        self.polls = 0
        self._wanted = wanted
        self._seen = seen
        self._order: Patience | None = None

    def give_up(self) -> None:
        """Have the order that is under way end: nobody waits for it."""
        if (order := self._order) is not None:
            order.give_up()
            self.own.abort()

    def turn_on(self) -> None:
        """Have it run: make it, switch it on, or let it go on."""
        moves: dict[str, Move] = {
            "": self.own.create,
            "off": self._put("on"),
            "paused": self._post("unpause"),
        }
        with self._ordered() as patience:
            self._reach(("on",), moves, patience)

    def turn_off(self) -> None:
        """Switch it off, as by pulling the plug; where there is none, do nothing."""
        with self._ordered() as patience:
            self._reach(("off", ""), dict.fromkeys(_RUNS, self._put("off")), patience)

    def delete(self) -> None:
        """Switch it off and delete it; where there is none, do nothing."""
        delete = self._request("DELETE", "")
        moves = dict.fromkeys(_RUNS, self._put("off")) | {"off": delete, "error": delete}
        with self._ordered() as patience:
            self._reach(("",), moves, patience)

    def pause(self) -> None:
        """Stop its processors."""
        self._running("be paused", "on", "booting", "rebooting", "creating", "restoring", "paused")
        with self._ordered() as patience:
            self._reach(("paused",), {"on": self._post("pause")}, patience)

    def reset(self) -> None:
        """Have it start anew."""
        before = self._running("be reset", "on")
        with self._ordered() as patience:
            self._post("reboot")(patience)
            self._reach_anew(before, ("on",), patience)

    def shut_down(self, within: float, context: Context) -> bool:
        """Ask its system to shut down; tell whether it is off in so many seconds.

        What is on its way is waited for before, and what is paused goes on: it could not obey.
        """
        with self._ordered() as patience:
            self._reach(("on", "off", ""), {"paused": self._post("unpause")}, patience)
        with self._ordered(Duration(within)) as patience:
            leave = context.on_cancel(patience.give_up)
            try:
                self.own.order("POST", "/stop", patience, {"soft": True})
                while (state := self._state(patience)) not in ("off", ""):
                    self._refuse_broken(state)
                    if patience.over:
                        return False
                    patience.wait(self._wanted.poll_interval)
            except LabError:
                context.check_cancelled()
                raise
            finally:
                leave()
        return True

    def save_snapshot(self, name: str) -> None:
        """Make a snapshot, wait until it is made, and delete those that had its name."""
        with self._ordered() as patience:
            self.own.told(patience)
            old = [each for each in self.own.snapshots(patience) if each.name == name]
            self.own.order("POST", "/snapshots", patience, {"name": name})
            self._await_snapshot(name, lambda found: any(each.whole for each in found), old, patience)
            for each in old:
                self._delete_snapshot(each, patience)

    def load_snapshot(self, name: str) -> None:
        """Go back to a snapshot, and wait until that is done."""
        with self._ordered() as patience:
            before, snapshot = self.own.told(patience), self.own.snapshot(name, patience)
            self.own.order("POST", f"/snapshots/{quote(snapshot.id, safe='')}/restore", patience)
            self._reach_anew(before, ("on", "off", "paused"), patience)

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot, and wait until it is gone."""
        with self._ordered() as patience:
            self._delete_snapshot(self.own.snapshot(name, patience), patience)

    def _delete_snapshot(self, snapshot: Snapshot, patience: Patience) -> None:
        others = [each for each in self.own.snapshots(patience) if each.id != snapshot.id]
        self.own.order("DELETE", f"/snapshots/{quote(snapshot.id, safe='')}", patience)
        self._await_snapshot(snapshot.name, lambda found: not found, others, patience)

    @contextmanager
    def _ordered(self, limit: Duration | None = None) -> Iterator[Patience]:
        """Begin an order: count its looks, and let it be given up."""
        self.polls = 0
        self._order = Patience(limit or self._wanted.patience)
        try:
            yield self._order
        finally:
            self._order = None

    def _reach(self, goal: tuple[str, ...], moves: Mapping[str, Move], patience: Patience) -> None:
        """Look until the instance is in one of these states; do what leads out of another one, once."""
        left = dict(moves)
        while (state := self._state(patience)) not in goal:
            if state not in moves:
                self._refuse_broken(state)
            if patience.over:
                raise self._late(state, goal, patience)
            move = left.get(state)
            if move is not None:
                left = {at: each for at, each in left.items() if each is not move}
                move(patience)
            patience.wait(self._wanted.poll_interval)

    def _reach_anew(self, before: Instance, goal: tuple[str, ...], patience: Patience) -> None:
        """Look until the instance has left its state and is in one of these.

        The API tells when the state changed last. One that says so many times that nothing has changed
        is believed to have been there and back between two looks.
        """
        for _ in range(_QUICK):
            patience.wait(self._wanted.poll_interval)
            self.polls += 1
            now = self.own.look(patience)
            if now is None or (now.state, now.changed) != (before.state, before.changed):
                break
        self._reach(goal, {}, patience)

    def _state(self, patience: Patience) -> str:
        """Look at it; return its state, empty when there is none."""
        instance = self.own.look(patience)
        self.polls += 1
        self._seen(instance)
        return instance.state if instance else ""

    def _put(self, state: str) -> Move:
        return lambda patience: self.own.order("PUT", "/state", patience, {"state": state})

    def _post(self, verb: str) -> Move:
        return self._request("POST", f"/{verb}")

    def _request(self, method: str, path: str) -> Move:
        return lambda patience: self.own.order(method, path, patience)

    def _running(self, doing: str, *states: str) -> Instance:
        """Return it; raise LabError unless it is in one of these states."""
        instance = self.own.find()
        state = instance.state if instance else ""
        self._refuse_broken(state)
        if instance is None or state not in states:
            raise LabError(
                f"{self.own.label} cannot {doing}: it is {state or 'not there'}", hint="start it first"
            )
        return instance

    def _refuse_broken(self, state: str) -> None:
        """Raise LabError with the API's words when the instance has failed."""
        if state != "error":
            return
        raise LabError(
            f"{self.own.label} is in the state 'error': {self.own.error or 'the API does not say why'}",
            evidence={"state": state, "error": self.own.error},
            hint="'vm: absent' deletes it",
        )

    def _late(self, state: str, goal: tuple[str, ...], patience: Patience) -> LabError:
        expected = " or ".join(repr(each) if each else "gone" for each in goal)
        return LabError(
            f"{self.own.label} is still {state or 'not there'!r} after {patience.limit}, expected {expected}",
            evidence={"expected": list(goal), "actual": state, "limit": float(patience.limit)},
            hint="'patience' gives it more time",
        )

    def _await_snapshot(
        self,
        name: str,
        done: Callable[[list[Snapshot]], bool],
        others: Sequence[Snapshot],
        patience: Patience,
    ) -> None:
        """Look until the snapshots of that name, without these others, are as they should be."""
        known = {each.id for each in others}
        while True:
            self.polls += 1
            listed = self.own.snapshots(patience)
            if done([each for each in listed if each.name == name and each.id not in known]):
                return
            if patience.over:
                raise LabError(
                    f"snapshot {name!r} of {self.own.label} is not as it should be after {patience.limit}",
                    evidence={"snapshots": [each.name for each in listed], "limit": float(patience.limit)},
                    hint="'patience' gives it more time",
                )
            patience.wait(self._wanted.poll_interval)
