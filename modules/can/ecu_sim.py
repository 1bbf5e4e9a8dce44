"""A control unit that is played by a program: frames, ISO-TP and UDS, as the inventory says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from runner.api import (
    BusState,
    CanBus,
    Cancelled,
    CanFilter,
    CanFrame,
    Context,
    Driver,
    Duration,
    Failed,
    LabError,
    arg,
    device,
)
from runner.api.diagnostics import Message
from runner.api.frames import STANDARD
from runner.api.isotp import IsoTpAddress, IsoTpParams, halves
from runner.api.misfit import Misfit
from runner.api.unattended import Unattended
from runner.modules.can.ecu_bus import two_ends
from runner.modules.can.ecu_options import EcuAnswer, EcuFrame, EcuMessage, EcuPeriodic, EcuUds
from runner.modules.can.ecu_uds import UdsServer
from runner.modules.can.isotp import Isotp

_LIMIT = Duration("5s")
_LONG = 3600.0


class EcuSim(Driver, CanBus):
    """A control unit that is played by a program: periodic frames, answers, ISO-TP and a UDS server.

    It brings a CAN bus of its own, on which nobody else is; with `bus` it sits on a bus of the
    bench instead, and other programs and boards can talk to it there. Its UDS server keeps
    sessions, security, data identifiers, trouble codes, routines and memory; with `faults` it
    answers late, wrongly or not at all, on purpose.

    Example::

        devices:
          can0:
            driver: ecu_sim
            periodic: [{id: 0x100, data: "01 02", period: 20ms}]
            answers: [{id: 0x123, data: "01 ??", frames: [{id: 0x456, data: "41"}]}]
            address: {txid: 0x7E8, rxid: 0x7E0}
            uds:
              dids: [{id: 0xF190, text: WAUZZZ4G6BN000001}]
              faults: [{request: "22 F1 90", what: late, delay: 2s, times: 1}]
    """

    simulated = True
    private = True

    address: IsoTpAddress = arg(
        default=IsoTpAddress(txid=0x7E8, rxid=0x7E0), help="who talks to whom over ISO-TP, seen from it"
    )
    params: IsoTpParams = arg(default=IsoTpParams(), help="how it cuts and paces its messages")
    functional: int | None = arg(
        default=0x7DF,
        help="the identifier of requests to every control unit; null: it has none",
        minimum=0,
        maximum=0x1FFFFFFF,
    )
    periodic: list[EcuPeriodic] = arg(default=[], help="frames that it sends again and again")
    answers: list[EcuAnswer] = arg(default=[], help="frames that it answers with frames")
    messages: list[EcuMessage] = arg(default=[], help="ISO-TP messages that it answers, besides UDS")
    uds: EcuUds | None = arg(default=None, help="its UDS server; left out: it has none")
    bus: CanBus | None = device(
        optional=True, help="the bus it sits on; left out: one of its own, without anybody else"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say why its address is not a whole one."""
        if "address" in given:
            yield from halves(given["address"], None)

    def open(self) -> None:
        """Put it on its bus and let it live."""
        ends = two_ends("bus of the simulated control unit")
        self._ours: CanBus = self.bus or ends[0]
        self._theirs: CanBus = self.bus or ends[1]
        self._unattended = Unattended()
        self._server = None if self.uds is None else UdsServer(self.uds)
        self._one_at_a_time = threading.Lock()
        self._deaf_until = 0.0
        self._answered: dict[int, int] = {}
        self._failed: LabError | None = None
        self._link = Isotp(address=self.address, params=self.params, bus=self._theirs)
        self._link.open()
        self._to_all = self._functional_link()
        self._tasks = [
            self._theirs.send_periodic([_frame(each)], each.period, None) for each in self.periodic
        ]
        self._threads = [
            self._begin(lambda: self._serve(self._link, functional=False)),
            self._begin(self._answer_frames),
        ]
        if self._to_all is not None:
            everybody = self._to_all
            self._threads.append(self._begin(lambda: self._serve(everybody, functional=True)))

    def close(self) -> None:
        """Let it rest."""
        self._unattended.stop()
        for thread in self._threads:
            thread.join()
        for task in self._tasks:
            task.stop()
        if self._to_all is not None:
            self._to_all.close()
        self._link.close()
        self._ours.work.close()
        if self._failed is not None:
            raise self._failed

    def send(self, frame: CanFrame, timeout: Duration) -> int:
        """Send a frame to it."""
        return self._ours.send(frame, timeout)

    def latest(self) -> int:
        """Return the number of the newest frame in the record."""
        return self._ours.latest()

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`."""
        return self._ours.next(after, timeout, context)

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that place in the record."""
        return self._ours.find(number)

    def info(self) -> Mapping[str, object]:
        """Return state and counters of its bus."""
        return self._ours.info()

    def filter(self, filters: Sequence[CanFilter]) -> None:
        """Receive only frames that one of these lets pass."""
        self._ours.filter(filters)

    def set_state(self, state: BusState) -> None:
        """Take part in the bus, or only listen."""
        self._ours.set_state(state)

    def flush(self) -> None:
        """Throw away what waits to be sent."""
        self._ours.flush()

    def _functional_link(self) -> Isotp | None:
        if self.functional is None or self.address.rxid is None or self.address.txid is None:
            return None  # modes with addresses in the identifier receive both kinds on one link
        address = IsoTpAddress(
            mode=self.address.mode,
            txid=self.address.txid,
            rxid=self.functional,
            target_address=self.address.target_address,
            source_address=self.address.source_address,
            address_extension=self.address.address_extension,
        )
        link = Isotp(address=address, params=self.params, bus=self._theirs)
        link.open()
        return link

    def _begin(self, work: Any) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Cancelled:
                return
            except LabError as error:
                self._failed = error

        thread = threading.Thread(target=run, name="simulated control unit", daemon=True)
        thread.start()
        return thread

    def _serve(self, link: Isotp, *, functional: bool) -> None:
        after = 0
        while True:
            message = link.next(after, _LONG, self._unattended)
            if message is None:
                continue
            after = message.number
            if message.time >= self._deaf_until:
                self._answer(message, functional=functional)

    def _answer(self, message: Message, *, functional: bool) -> None:
        for scripted in self.messages:
            if scripted.request.matches(message.data):
                self._say(scripted.answer)
                return
        if self._server is None or self.uds is None:
            return
        with self._one_at_a_time:
            reply = self._server.answer(message.data, time.monotonic(), functional=functional)
        for seconds, payload in reply.payloads:
            if seconds:
                self._unattended.sleep(seconds)
            self._say(payload)
        if reply.resets:
            self._server.boot()
            self._deaf_until = time.monotonic() + self.uds.boot_time

    def _say(self, payload: bytes) -> None:
        """Send a message; who asked may have gone meanwhile."""
        with suppress(Failed):
            self._link.send(payload, _LIMIT, self._unattended)

    def _answer_frames(self) -> None:
        after = 0
        while True:
            frame = self._theirs.next(after, _LONG, self._unattended)
            if frame is None:
                continue
            after = frame.number
            for index, scripted in enumerate(self.answers):
                self._follow(index, scripted, frame)

    def _follow(self, index: int, scripted: EcuAnswer, frame: CanFrame) -> None:
        count = self._answered.get(index, 0)
        if frame.id != scripted.id or frame.error or (scripted.times and count >= scripted.times):
            return
        if scripted.data is not None and not scripted.data.matches(frame.data):
            return
        self._answered[index] = count + 1
        if scripted.delay:
            self._unattended.sleep(scripted.delay)
        for each in scripted.frames:
            self._theirs.send(_frame(each), _LIMIT)


def _frame(written: EcuFrame) -> CanFrame:
    extended = written.id > STANDARD if written.extended is None else written.extended
    return CanFrame(id=written.id, data=written.data, extended=extended, fd=written.fd)
