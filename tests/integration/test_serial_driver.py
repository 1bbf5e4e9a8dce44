"""The serial driver on a pair of terminals from socat, read by the console engine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import wait_until
from support.plain_context import PlainContext

from runner.api import Duration
from runner.console import Chunk
from runner.modules.console.serial import Serial

pytestmark = pytest.mark.peer("socat")
LIMIT = Duration("60s")


@contextmanager
def pair(ours: Path, theirs: Path) -> Iterator[None]:
    """Two terminals connected to each other, under stable names."""
    process = subprocess.Popen(
        ["socat", f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"], stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: ours.exists() and theirs.exists(), "both terminals are there")
        yield
    finally:
        process.terminate()
        process.communicate()


def test_a_megabyte_arrives_whole(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    sent = bytes(range(256)) * 4096
    with pair(ours, theirs):
        console = Serial(port=str(ours))
        chunks: list[Chunk] = []
        console.start(chunks.append, "console")
        with theirs.open("wb", buffering=0) as board:
            view = memoryview(sent)
            while view:
                view = view[board.write(view) :]
            wait_until(
                lambda: sum(len(chunk.data) for chunk in chunks) >= len(sent), "all of it is there", LIMIT
            )
        console.stop()

    assert b"".join(chunk.data for chunk in chunks) == sent


def test_a16_a_port_that_is_away_for_three_seconds_is_found_under_its_new_name(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    new_ours, new_theirs = tmp_path / "new-ours", tmp_path / "new-theirs"
    chunks: list[Chunk] = []
    console = Serial(port=str(ours))
    context = PlainContext()
    with pair(new_ours, new_theirs):  # there beside the old pair, so that its device has another number
        with pair(ours, theirs):
            console.start(chunks.append, "console")
            with theirs.open("wb", buffering=0) as board:
                board.write(b"before\r\n")
                console.expect("before", context, within=LIMIT)
            device = ours.readlink()
        wait_until(lambda: any(chunk.gap for chunk in chunks), "the port is lost")
        time.sleep(3)
        assert console.gone
        new_ours.replace(ours)
        assert ours.readlink() != device
        wait_until(
            lambda: any(chunk.gap.startswith("open again") for chunk in chunks), "it is open again", LIMIT
        )
        with new_theirs.open("wb", buffering=0) as board:
            board.write(b"after\r\n")
            console.expect("after", context, within=LIMIT)
        assert not console.gone
    console.stop()

    lost, again = [chunk.gap for chunk in chunks if chunk.gap][:2]
    assert lost.startswith("lost: ")
    assert float(again.removeprefix("open again after ").removesuffix(" s")) >= 3


def test_what_is_typed_reaches_the_board(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with pair(ours, theirs):
        console = Serial(port=str(ours))
        console.start(lambda _chunk: None, "console")
        console.send(b"typed\n", PlainContext())
        with theirs.open("rb", buffering=0) as board:
            arrived = b""
            while not arrived.endswith(b"\n"):
                arrived += board.read(6)
        console.stop()

    assert arrived == b"typed\n"
