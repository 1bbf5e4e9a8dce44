"""Flashing beside dd, `xz -dc | dd` and `ssh host 'cat > file'`: the same bytes onto the same disk, in one run."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import say

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.media import over_ssh  # what the tests use
from support.plain_context import PlainContext
from support.ssh_server import missing, ssh_server

from runner.api import FilePath
from runner.modules.storage.file import File
from runner.modules.storage.flash import Flash

MIB = 2**20
SIZE = 1024
TIMES = 7


def image_at(path: Path) -> None:
    """Make an image as systems are: a third of it is noise, the rest text and zeros."""
    noise, text = os.urandom(MIB), (b"all work and no play " * 50000)[:MIB]
    with path.open("wb") as file:
        for number in range(SIZE):
            file.write((noise, text, bytes(MIB))[number % 3])


def took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def shell(command: str) -> None:
    subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], check=True, capture_output=True)


@contextlib.contextmanager
def medium(path: Path) -> Iterator[File]:
    driver = File(path=str(path))
    driver.open()
    try:
        yield driver
    finally:
        driver.close()


def flash(image: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with medium(target) as storage:
        Flash(image=FilePath(image), verify="none", storage=storage).run(PlainContext())


def beside(name: str, theirs: Callable[[], object], ours: Callable[[], object], least: float) -> None:
    """Say how fast we are, in parts of the peer's speed: the best of several runs of both, in turn.

    What else the machine does, and the memory that it has to find for the page cache, only slows down.
    """
    pairs = [(took(theirs), took(ours)) for _ in range(TIMES)]
    peer, own = (min(each) for each in zip(*pairs, strict=True))
    say(name, f"{SIZE / own:.0f} MiB/s, peer {SIZE / peer:.0f}", f"ratio {peer / own:.2f}, at least {least}")


def over_ssh_too(folder: Path, image: Path) -> None:
    """Flash a board that runs, beside ssh; the connection of both is there before."""
    with ssh_server(folder / "board") as server:
        target = folder / "over-ssh"
        disk = over_ssh(server, target)
        disk.options.append("Ciphers=aes128-gcm@openssh.com")
        disk.open()
        key = f"-i {server.identity} -p {server.port} -o UserKnownHostsFile={server.known}"
        login = f"ssh -T -c aes128-gcm@openssh.com {key} {server.address}"

        def ours() -> None:
            target.unlink(missing_ok=True)
            Flash(image=FilePath(image), verify="none", storage=disk).run(PlainContext())

        def theirs() -> None:
            target.unlink(missing_ok=True)
            shell(f"{login} 'cat > {target}' < {image}")

        beside("flash 1 GiB over SSH, beside ssh host 'cat > file'", theirs, ours, 0.8)
        disk.close()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("FLASH_FOLDER")) as folder:
        image, target = Path(folder, "image"), Path(folder, "target")
        image_at(image)

        def dd() -> None:
            target.unlink(missing_ok=True)
            shell(f"dd if={image} of={target} bs=4M conv=fsync")

        beside("flash 1 GiB, beside dd bs=4M conv=fsync", dd, lambda: flash(image, target), 0.9)
        packed = Path(folder, "image.xz")
        shell(f"xz -0 -T0 -k -c {image} > {packed}")

        def xz() -> None:
            target.unlink(missing_ok=True)
            shell(f"xz -dc {packed} | dd of={target} bs=4M iflag=fullblock conv=fsync")

        beside("flash 1 GiB from xz, beside xz -dc | dd", xz, lambda: flash(packed, target), 0.9)
        if missing():
            say("over SSH", f"not measured: {missing()}")
        else:
            over_ssh_too(Path(folder), image)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say("largest memory of the process that flashes", f"{peak:.0f} MiB", "at most 100")


if __name__ == "__main__":
    main()
