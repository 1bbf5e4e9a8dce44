"""Bulk that nobody takes holds up nothing else: told by the frames, not by the time."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

from runner.agent.bulk import END, LEAST_UNDER_WAY, MOST_UNDER_WAY
from runner.agent.call import Call
from runner.agent.credit import WINDOW
from runner.agent.frames import LARGEST_FRAME, Frame, FrameReader, Kind
from runner.agent.messages import Message, to_json
from runner.agent.outbox import Outbox, Rank
from runner.agent.wording import unpack_cancel
from runner.connect.source import Files
from runner.connect.upload import Upload


class Wire:
    """What was written, as frames."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._reader = FrameReader()
        self._written = threading.Condition()

    def write(self, data: bytes) -> None:
        with self._written:
            self.frames += self._reader.feed(data)
            self._written.notify_all()

    @property
    def bulk(self) -> int:
        return sum(len(each.payload) for each in self.frames if each.kind is Kind.DATA)

    def until(self, condition: Callable[[], bool]) -> None:
        with self._written:
            assert self._written.wait_for(condition, 10)


def refuse_to_wait(wire: Wire, outbox: Outbox, window: int) -> None:
    """Check that bulk stands still at its window, and that others get through at once."""
    wire.until(lambda: wire.bulk >= window)
    assert wire.bulk < window + LARGEST_FRAME
    stalled = len(wire.frames)
    outbox.say(Kind.PING, 0)
    outbox.say(Kind.DATA, 0x8000_0000, b"key", Rank.CONSOLE)
    assert [each.kind for each in wire.frames[stalled:]] == [Kind.PING, Kind.DATA]


def test_an_upload_without_credit_holds_up_neither_control_nor_consoles(tmp_path: Path) -> None:
    path = tmp_path / "big.img"
    path.write_bytes(random.Random(4).randbytes(2 * MOST_UNDER_WAY))
    wire = Wire()
    outbox = Outbox(wire.write)
    source = Files().of(str(path))
    upload = Upload(source, 5, outbox)
    upload.take(Message(Kind.EVENT, 5, to_json({"Wanted": {"start": 0, "sha256": ""}})))
    upload.begin()
    refuse_to_wait(wire, outbox, LEAST_UNDER_WAY)
    upload.granted((4 * MOST_UNDER_WAY).to_bytes(4, "big"))
    wire.until(lambda: wire.frames[-1] == Frame(Kind.DATA, 5, END))
    upload.close()


def test_an_artifact_without_credit_holds_up_neither_control_nor_consoles() -> None:
    wire = Wire()
    outbox = Outbox(wire.write)
    call = Call(5, outbox)
    saving = threading.Thread(target=call.save, args=("big.bin", random.Random(4).randbytes(4 * WINDOW)))
    saving.start()
    refuse_to_wait(wire, outbox, WINDOW)
    call.grant(4 * WINDOW)
    saving.join(10)
    assert wire.bulk >= 4 * WINDOW


def test_a_source_that_has_gone_ends_the_call_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "big.img"
    path.write_bytes(b"x")
    wire = Wire()
    upload = Upload(Files().of(str(path)), 5, Outbox(wire.write))
    path.unlink()
    upload.take(Message(Kind.EVENT, 5, to_json({"Wanted": {"start": 0, "sha256": ""}})))
    upload.begin()
    wire.until(lambda: bool(wire.frames))
    upload.close()

    ((kind, stream, payload),) = wire.frames
    cause = f"cannot read '{path}': No such file or directory"
    assert (kind, stream, unpack_cancel(payload)) == (Kind.CANCEL, 5, (cause, False))
