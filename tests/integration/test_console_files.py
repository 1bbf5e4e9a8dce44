"""Files over a console: through real shells, with lrzsz and busybox at the other end."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.context import StepContext
from support.shells import Port, PtyConsole

from runner.api import Duration, Failed, LabError, RecipeFault, Unsupported
from runner.api.values import FilePath
from runner.console import Stream
from runner.modules.console.console_get import ConsoleGet, Got
from runner.modules.console.console_put import ConsolePut, Put

CONTENT = bytes(range(256)) * 64 + random.Random(7).randbytes(20_000) + b"\n.\n\n-n %s\\n\x00"


class HurtPort(Port):
    """A port that damages what passes, as it is told to."""

    typed: Callable[[bytes], bytes] = staticmethod(lambda data: data)
    printed: Callable[[bytes], bytes] = staticmethod(lambda data: data)

    def read(self, timeout: float) -> bytes:
        return self.printed(super().read(timeout))

    def write(self, data: bytes) -> None:
        super().write(self.typed(data))


class HurtConsole(PtyConsole):
    """A shell behind such a port, with programs in a folder of its own."""

    def connect(self) -> Stream:
        super().connect()
        self.port = HurtPort(self.descriptor)
        return self.port


def path_with(folder: Path, *programs: str) -> str:
    """Make a folder with nothing but these programs; busybox plays those that are not here."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(shutil.which(program) or str(shutil.which("busybox")))
    return str(folder)


def opened(*command: str) -> Iterator[HurtConsole]:
    console = HurtConsole(*command)
    console.start(console.record, "pty")
    yield console
    console.stop()
    console.end()


SHELLS = [
    pytest.param(("dash",), id="dash"),
    pytest.param(("bash", "--norc"), id="bash", marks=pytest.mark.peer("bash")),
    pytest.param(("busybox", "sh"), id="busybox", marks=pytest.mark.peer("busybox")),
]


@pytest.fixture(params=SHELLS)
def at(request: pytest.FixtureRequest) -> Iterator[HurtConsole]:
    yield from opened(*request.param)


@pytest.fixture
def dash() -> Iterator[HurtConsole]:
    yield from opened("dash")


def put(console: HurtConsole, file: Path, to: Path, **options: object) -> Put:
    context = StepContext(console="uart")
    return ConsolePut(file=FilePath(file), to=str(to), console=console, **options).run(context)  # type: ignore[arg-type]


def get(console: HurtConsole, file: Path, **options: object) -> tuple[Got, bytes]:
    context = StepContext(console="uart")
    got = ConsoleGet(file=str(file), console=console, **options).run(context)  # type: ignore[arg-type]
    return got, context.artifacts[got.name]


@pytest.mark.parametrize("method", ["base64", "printf"])
def test_a_file_arrives_as_it_is_and_comes_back(at: HurtConsole, tmp_path: Path, method: str) -> None:
    here, there = tmp_path / "here", tmp_path / "it's there"
    here.write_bytes(CONTENT)

    sent = put(at, here, there, method=method, mode="750")
    got, data = get(at, there)

    assert there.read_bytes() == CONTENT == data
    assert (sent.size, sent.method, sent.verified_by, sent.resent) == (len(CONTENT), method, "sha256sum", 0)
    assert sent.sha256 == got.sha256
    assert there.stat().st_mode & 0o777 == 0o750
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "it's there"]


def test_an_empty_file_and_a_text_arrive(at: HurtConsole, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "text"

    ConsolePut(text="", to=str(empty), console=at).run(StepContext())
    ConsolePut(text="nameserver 10.0.2.3\n\treboot\n", to=str(text), method="printf", console=at).run(
        StepContext()
    )

    assert empty.read_bytes() == b""
    assert text.read_text(encoding="utf-8") == "nameserver 10.0.2.3\n\treboot\n"
    assert get(at, empty)[1] == b""
    assert get(at, text)[0].text == "nameserver 10.0.2.3\n\treboot\n"


@pytest.mark.peer("busybox")
@pytest.mark.parametrize(
    ("programs", "method", "verified_by", "fetched_by"),
    [
        (("cat", "cksum", "dd", "mv", "od", "rm", "wc"), "printf", "cksum", "od"),
        (("base64", "cat", "md5sum", "dd", "mv", "hexdump", "rm", "wc"), "base64", "md5sum", "base64"),
        (("cat", "md5sum", "dd", "mv", "hexdump", "rm", "wc"), "printf", "md5sum", "hexdump"),
    ],
)
def test_a_board_with_few_programs_is_enough(
    tmp_path: Path, programs: tuple[str, ...], method: str, verified_by: str, fetched_by: str
) -> None:
    path = path_with(tmp_path / "bin", *programs)
    here, there = tmp_path / "here", tmp_path / "there"
    here.write_bytes(CONTENT)
    for console in opened("env", "-i", f"PATH={path}", str(shutil.which("dash")), "-i"):
        sent = put(console, here, there)
        got, data = get(console, there)

        assert there.read_bytes() == CONTENT == data
        assert (sent.method, sent.verified_by, got.method) == (method, verified_by, fetched_by)


@pytest.mark.peer("busybox")
def test_a_board_without_a_checksum_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", "cat", "mv", "rm", "wc")
    (tmp_path / "here").write_bytes(b"x")
    for console in opened("env", "-i", f"PATH={path}", str(shutil.which("dash")), "-i"):
        with pytest.raises(Unsupported, match="no sha256sum and no md5sum and no cksum to check"):
            put(console, tmp_path / "here", tmp_path / "there")
    assert not (tmp_path / "there.part").exists()


def test_a_damaged_piece_is_sent_again_and_only_that_one(dash: HurtConsole, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.write_bytes(CONTENT)
    hurt: list[int] = []

    def typed(data: bytes) -> bytes:
        if len(data) > 3500 and not hurt:
            hurt.append(len(data))
            return data[:3000] + b"A" + data[3001:]
        return data

    dash.run("true", dash.context, timeout=Duration("20s"))
    dash.port.typed = typed
    sent = put(dash, here, there)

    assert there.read_bytes() == CONTENT
    assert (sent.resent, len(hurt)) == (1, 1)


def test_a_damaged_print_is_fetched_again(dash: HurtConsole, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(CONTENT)
    hurt: list[int] = []
    came = 0

    def printed(data: bytes) -> bytes:
        nonlocal came
        start, came = max(0, 4000 - came), came + len(data)
        at = next((place for place in range(start, len(data)) if data[place : place + 1].isalnum()), None)
        if hurt or at is None:
            return data
        hurt.append(at)
        return data[:at] + data[at + 1 :]

    dash.run("true", dash.context, timeout=Duration("20s"))
    dash.port.printed = printed
    got, data = get(dash, there)

    assert data == CONTENT
    assert (got.resent, len(hurt)) == (1, 1)


def test_damage_that_stays_is_the_bench_s_fault_and_leaves_the_old_file(
    dash: HurtConsole, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.write_bytes(CONTENT)
    there.write_bytes(b"old")
    dash.run("true", dash.context, timeout=Duration("20s"))
    dash.port.typed = lambda data: data.replace(b"AAEC", b"AAED")

    with pytest.raises(LabError, match="arrives damaged, 5 times"):
        put(dash, here, there, method="base64")
    assert there.read_bytes() == b"old"
    assert dash.run("echo alive", dash.context, timeout=Duration("20s")).output == "alive"


def test_a_path_that_is_not_there_says_what_the_board_said(dash: HurtConsole, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"x")

    with pytest.raises(Failed, match="the board cannot write .*/nowhere"):
        put(dash, tmp_path / "here", tmp_path / "nowhere" / "file")
    with pytest.raises(Failed, match="the board cannot read .*/nowhere"):
        get(dash, tmp_path / "nowhere")


def test_a_file_that_is_not_on_the_host_is_the_recipe_s_fault(dash: HurtConsole, tmp_path: Path) -> None:
    with pytest.raises(RecipeFault, match="cannot read"):
        put(dash, tmp_path / "missing", tmp_path / "there")


LRZSZ = pytest.mark.peer("lrzsz")


@LRZSZ
def test_xmodem_receives_from_a_real_sender(dash: HurtConsole, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(CONTENT)

    got, data = get(dash, there, method="xmodem")

    assert data == CONTENT
    assert got.method == "xmodem"


@LRZSZ
def test_what_is_not_text_is_in_the_raw_log_and_not_looked_at(dash: HurtConsole, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"\nKernel panic - not syncing: only in a file\n" * 20)

    get(dash, there, method="xmodem")

    assert b"Kernel panic" in dash.raw
    dash.expect("Kernel panic", dash.context, within=Duration("200ms"), since="start", absent=True)
