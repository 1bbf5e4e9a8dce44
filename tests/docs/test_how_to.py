"""The documents for authors: their files are written, their commands are run, and print what stands there.

A block ```python, ```yaml or ```dbc that begins with a comment naming a file is that file. In a block
```console each line after ``$ `` is typed into one shell, and what follows is what it prints:
``…`` stands for any text, on a line of its own for any lines. The project's `recipes` are there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
WITH_COMMANDS = [
    "tutorial.md",
    "how-to/write-a-module.md",
    "how-to/write-a-driver.md",
    "how-to/recover-boards.md",
    "how-to/switch-power.md",
    "how-to/switch-outlets.md",
    "how-to/serve-files-to-boards.md",
    "how-to/talk-to-boards.md",
    "how-to/test-can.md",
    "how-to/flash-boards.md",
    "how-to/use-usb-instruments.md",
    "how-to/diagnose-ecus.md",
    "how-to/check-screens.md",
    "how-to/accept-a-board.md",
    pytest.param("how-to/use-virtual-machines.md", marks=pytest.mark.peer("qemu pc")),
]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) ([\w./-]+\.\w+)\n")


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Return each command of a console block and what it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def pattern(printed: str) -> str:
    """Return the regular expression for what a command prints."""
    return "".join(
        r"(?:.*\n)?" if line == "…" else "[^\\n]*".join(map(re.escape, line.split("…"))) + "\n"
        for line in printed.strip("\n").split("\n")
    )


def run(command: str, folder: Path) -> tuple[str, int]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "RUNNER_STATE": str(folder / "state"),
        "RUNNER_LOCKS": str(folder / "locks"),
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.stdout, done.returncode


@pytest.mark.peer("bash")
@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_what_a_document_shows_is_what_happens(name: str, tmp_path: Path) -> None:
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    ran = 0
    (tmp_path / "recipes").symlink_to(DOCUMENTS.parent / "recipes")
    for language, block in _BLOCK.findall(text):
        named = _FILE.match(block)
        if language in {"python", "yaml", "dbc"} and named:
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block, encoding="utf-8")
        for command, printed in commands(block) if language == "console" else ():
            output, status = run(command, tmp_path)
            ran += 1
            if not printed.strip():
                assert status == 0, f"$ {command}\n{output}"
            else:
                assert re.fullmatch(pattern(printed), output.strip("\n") + "\n", re.DOTALL), (
                    f"$ {command}\n{output}\n--- expected ---\n{printed}"
                )
    assert ran > 0
