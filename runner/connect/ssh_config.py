"""``~/.ssh/config`` as paramiko reads it, with Include, which paramiko does not know (ssh_config(5))."""

from __future__ import annotations

import fnmatch
import glob
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.api.verdicts import LabError

_DEEPEST = 16
USER_FILE = Path("~/.ssh/config")
SYSTEM_FILE = Path("/etc/ssh/ssh_config")


class SshConfig:
    """What the user's and the machine's files say about hosts."""

    def __init__(self, user: Path | None = None, system: Path = SYSTEM_FILE) -> None:
        """Read from these files, when there are any."""
        self._files = ((user or USER_FILE).expanduser(), system)

    def of(self, host: str) -> Mapping[str, Any]:
        """Return what is said of a host, keys in lower case; raise LabError when it cannot be understood."""
        from paramiko import ConfigParseError, SSHConfig
        from paramiko.ssh_exception import CouldNotCanonicalize

        text = "".join(
            f"Host *\n{''.join(_lines(file, host, file.parent, 0))}" for file in self._files if file.is_file()
        )
        try:
            said: Mapping[str, Any] = SSHConfig.from_text(text).lookup(host)
        except (ConfigParseError, CouldNotCanonicalize, ImportError, ValueError) as error:
            files = " and ".join(map(str, self._files))
            raise LabError(
                f"cannot understand {files}: {error}", hint="transport: openssh reads all of it"
            ) from error
        return said


def _lines(file: Path, host: str, base: Path, depth: int) -> Iterator[str]:
    """Return the lines of a file with those of included ones in their place.

    Behind an included file the block goes on in which the Include stands; one in a Host
    block that is not about `host` includes nothing.
    """
    if depth > _DEEPEST:
        raise LabError(f"{file}: files that include one another more than {_DEEPEST} deep")
    block = "Host *\n"
    for line in _read(file):
        keyword, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if keyword.lower() in {"host", "match"}:
            block = f"{line.strip()}\n"
        if keyword.lower() != "include":
            yield f"{line.rstrip()}\n"
        elif _about(block, host):
            for included in _included(value, base):
                yield from _lines(included, host, base, depth + 1)
            yield block


def _read(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"cannot read {file}: {error}") from error


def _included(value: str, base: Path) -> Iterator[Path]:
    for word in shlex.split(value, comments=True):
        path = Path(word).expanduser()
        for found in sorted(glob.glob(str(path if path.is_absolute() else base / path))):  # noqa: PTH207 - absolute
            if Path(found).is_file():
                yield Path(found)


def _about(block: str, host: str) -> bool:
    keyword, _, value = block.strip().replace("=", " ", 1).partition(" ")
    if keyword.lower() == "match":
        return True
    patterns = shlex.split(value)
    if any(each.startswith("!") and fnmatch.fnmatchcase(host, each[1:]) for each in patterns):
        return False
    return any(fnmatch.fnmatchcase(host, each) for each in patterns if not each.startswith("!"))
