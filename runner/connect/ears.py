"""Hears consoles on a thread of their own, so that a slow listener holds up nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from runner.agent.calls import ConsoleBytes, Heard
from runner.agent.consoles import unpack_chunk, unpack_name, unpack_told
from runner.agent.credit import Debt
from runner.agent.frames import Kind, ProtocolError
from runner.agent.outbox import Outbox
from runner.agent.reader import Message


class Ears:
    """Passes console bytes on in order; gives credit for more only when they have been heard."""

    def __init__(
        self,
        console: Callable[[ConsoleBytes], None],
        heard: Callable[[Heard], None],
        outbox: Outbox,
        failed: Callable[[Exception], None],
        *,
        name: str,
    ) -> None:
        """Get ready; the thread starts with the first console.

        `heard` gets what else is told of consoles, behind their bytes; `failed` hears of a listener's error.
        """
        self._console = console
        self._heard = heard
        self._outbox = outbox
        self._failed = failed
        self._name = name
        self._queue: SimpleQueue[Message | Callable[[], None] | None] = SimpleQueue()
        self._consoles: dict[int, tuple[str, str, Debt]] = {}
        self._thread: threading.Thread | None = None
        self._taken = 0
        self._done = 0

    def take(self, message: Message) -> None:
        """Take a message of a console's stream."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name=f"{self._name} consoles", daemon=True)
            self._thread.start()
        self._taken += 1
        self._queue.put(message)

    def afterwards(self, then: Callable[[], None]) -> None:
        """Call `then` when all that has been taken so far is heard; at once when nothing waits."""
        if self._taken == self._done:
            then()
        else:
            self._taken += 1
            self._queue.put(then)

    def close(self) -> None:
        """Stop listening once all that has been taken is heard."""
        self._queue.put(None)

    def join(self, seconds: float) -> None:
        """Wait for the end of listening."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _listen(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, Message):
                    self._hear(item)
                else:
                    item()
            except OSError:
                self._consoles.clear()
            except Exception as error:  # noqa: BLE001 - told to the link's owner; others wait for this thread
                self._failed(error)
            self._done += 1

    def _hear(self, message: Message) -> None:
        match message.kind:
            case Kind.EVENT:
                self._take_event(message)
            case Kind.DATA:
                self._pass_on(message)
            case Kind.END:
                self._consoles.pop(message.stream, None)
            case _:
                raise ProtocolError(f"{message.kind.name} on a console's stream")

    def _take_event(self, message: Message) -> None:
        bench, device, _ = self._consoles.get(message.stream, ("", "", None))
        told = unpack_told(message.payload, bench, device) if device else None
        if told is not None:
            self._heard(told)
        else:
            self._consoles[message.stream] = (*unpack_name(message.payload), Debt())

    def _pass_on(self, message: Message) -> None:
        if message.stream not in self._consoles:
            raise ProtocolError(f"bytes of the unknown console {message.stream:#x}")
        bench, device, debt = self._consoles[message.stream]
        self._console(unpack_chunk(message.payload, bench, device))
        credit = debt.read(len(message.payload))
        if credit:
            self._outbox.say(Kind.CREDIT, message.stream, credit)
