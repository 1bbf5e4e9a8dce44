"""ISO-TP cut and paced by can-isotp on any CAN bus (can-isotp documentation, "TransportLayerLogic").

The library's protocol machine is run by one thread of ours, to which everything is handed in a
queue: so a send ends when its last frame is with the bus, and a frame that the bus refuses ends it.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from runner.api import ByteString, CanBus, Cancelled, CanFrame, Duration, LabError
from runner.api.diagnostics import MessageRecord
from runner.api.isotp import IsoTpParams
from runner.api.unattended import Unattended
from runner.modules.can.isotp_address import library_params

_FRAME_LIMIT = Duration("1s")
"""How long the bus may take to accept a frame."""
_LOOK = 0.02
"""Seconds between two looks at the timers of the protocol, while a message is on its way."""
_BREATH = 0.001
"""Seconds between two tries to send when a rate limit holds a frame back."""
_BUS_LOOK = 1.0


class Sending:
    """A message on its way out; `done` is set when it is sent or given up, then `error` says why."""

    def __init__(self, data: bytes, functional: bool | None) -> None:
        """Not sent yet."""
        self.data = data
        self.functional = functional
        self.done = threading.Event()
        self.error: Exception | None = None


class PythonStack:
    """Sends and receives messages on a CAN bus; safe to use from many threads."""

    def __init__(
        self,
        bus: CanBus,
        address: Any,
        params: IsoTpParams,
        record: MessageRecord,
        troubles: deque[str],
    ) -> None:
        """Take a bus and an address of the library; nothing runs yet."""
        import isotp

        self._bus = bus
        self._params = params
        self._record = record
        self._troubles = troubles
        self._frames: deque[Any] = deque()
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sending: deque[Sending] = deque()
        self._latest: Sending | None = None
        self._requests: deque[Any] = deque()
        self._refused: Exception | None = None
        self._given_up: Exception | None = None
        self._breath = _BREATH if params.rate_limit_enable else 0.0
        self._unattended = Unattended()
        self._logic = isotp.TransportLayerLogic(
            rxfn=self._next_frame,
            txfn=self._transmit,
            address=address,
            error_handler=self._note,
            params=library_params(params),
            post_send_callback=self._requests.append,
        )
        self._threads = (
            threading.Thread(target=self._listen, name="ISO-TP frames", daemon=True),
            threading.Thread(target=self._run, name="ISO-TP", daemon=True),
        )

    def start(self) -> None:
        """Begin with the frames that come from now on."""
        self._after = self._bus.latest()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give up what is on its way and end."""
        self._unattended.stop()
        self._work.put(None)
        for thread in self._threads:
            thread.join()

    def send(self, sending: Sending) -> None:
        """Put a message into the queue."""
        self._latest = sending
        self._work.put(lambda: self._begin(sending))

    def abort(self, direction: Literal["tx", "rx"]) -> None:
        """Give up the message that is being sent or received, and return when that is so."""
        given_up = threading.Event()

        def give_up() -> None:
            (self._logic.stop_sending if direction == "tx" else self._logic.stop_receiving)()
            given_up.set()

        self._work.put(give_up)
        given_up.wait(_BUS_LOOK)

    def transmitting(self) -> bool:
        """Tell whether a message is being sent, or waits for that."""
        waits = self._latest is not None and not self._latest.done.is_set()
        return waits or bool(self._sending)

    def receiving(self) -> bool:
        """Tell whether a message has begun to come and is not there yet."""
        return bool(self._logic.is_rx_active())

    def _listen(self) -> None:
        import isotp

        try:
            while True:
                frame = self._bus.next(self._after, _BUS_LOOK, self._unattended)
                if frame is None:
                    continue
                self._after = frame.number
                if not frame.remote and not frame.error:
                    self._work.put(_library_frame(isotp.CanMessage, frame))
        except Cancelled:
            return
        except LabError as error:
            self._record.fail(error)

    def _run(self) -> None:
        try:
            while not self._unattended.cancelled:
                self._turn()
            self._finish(LabError("ISO-TP was stopped before the message was sent"))
        except Exception as error:  # noqa: BLE001 - told to whoever waits, now or later
            broken = LabError(f"ISO-TP has crashed: {error!r}")
            self._record.fail(broken)
            self._finish(broken)

    def _turn(self) -> None:
        item = self._next_work()
        if callable(item):
            item()
        elif item is not None:
            self._frames.append(item)
        self._logic.process()
        self._settle()
        while (received := self._logic.recv()) is not None:
            self._record.add(bytes(received))

    def _finish(self, error: LabError) -> None:
        """Give up whatever is on its way or still in the queue."""
        while not self._work.empty():
            item = self._work.get()
            if callable(item):
                item()
        while self._sending:
            self._end(self._sending.popleft(), error)

    def _next_work(self) -> Any:
        try:
            delay = self._delay()
            return self._work.get(block=delay != 0, timeout=delay or None)
        except queue.Empty:
            return None

    def _delay(self) -> float | None:
        """Return how many seconds nothing has to be done unless something comes; None: for ever."""
        if self._logic.is_tx_transmitting_cf():
            return max(float(self._logic.next_cf_delay() or 0), self._breath)
        if self._logic.is_tx_throttled():
            return _BREATH
        return _LOOK if self._sending or self._logic.is_rx_active() else None

    def _next_frame(self, _timeout: float) -> Any:
        return self._frames.popleft() if self._frames else None

    def _begin(self, sending: Sending) -> None:
        kind = None if sending.functional is None else int(sending.functional)
        try:
            self._logic.send(bytearray(sending.data), target_address_type=kind)
        except (ValueError, RuntimeError) as error:
            self._end(sending, error)
        else:
            self._sending.append(sending)

    def _transmit(self, message: Any) -> None:
        frame = CanFrame(
            id=message.arbitration_id,
            data=ByteString(bytes(message.data)),
            extended=message.is_extended_id,
            fd=message.is_fd,
            bitrate_switch=message.bitrate_switch,
        )
        try:
            self._bus.send(frame, _FRAME_LIMIT)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the send
            if not self._sending:
                self._troubles.append(f"a flow control frame could not be sent: {error}")
                return
            self._refused = error
            self._logic.stop_sending()

    def _note(self, error: Exception) -> None:
        """Keep what the library finds wrong: with the message being sent, or with one to us."""
        import isotp.errors as known

        outgoing = (
            known.FlowControlTimeoutError,
            known.MaximumWaitFrameReachedError,
            known.UnsupportedWaitFrameError,
            known.OverflowError,
        )
        if isinstance(error, outgoing) and self._sending:
            self._given_up = self._given_up or error
        else:
            self._troubles.append(str(error))

    def _settle(self) -> None:
        """Tell whoever waits for messages that are sent, or given up."""
        while self._requests and (
            self._requests[0].complete_event.is_set() or not self._logic.transmitting()
        ):
            request, sending = self._requests.popleft(), self._sending.popleft()
            # can-isotp 2.0.7 does not complete a single frame that its rate limit has held back
            sent = request.success or not request.complete_event.is_set()
            aborted = self._given_up or LabError("the message was given up before it was sent")
            self._end(sending, self._refused or (None if sent else aborted))
            self._refused = self._given_up = None

    @staticmethod
    def _end(sending: Sending, error: Exception | None) -> None:
        sending.error = error
        sending.done.set()


def _library_frame(make: Callable[..., Any], frame: CanFrame) -> Any:
    return make(
        arbitration_id=frame.id,
        data=bytes(frame.data),
        extended_id=frame.extended,
        is_fd=frame.fd,
        bitrate_switch=frame.bitrate_switch,
    )
