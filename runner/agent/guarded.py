"""``python3 -I -m runner.agent.guarded``: an agent that a host starts itself, by a forced command of sshd.

In ``authorized_keys``: ``command="python3 -I -m runner.agent.guarded --as ana",restrict ssh-ed25519 …``.
Then no key of that line runs anything else on the host. The controller sends what it sends to
every host, a program to begin with and the sources of its modules; of the former only the mark
is read by which the controller knows its beginning, and the latter count only where the host's policy
says ``code = own``. What runs is what is installed here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from typing import NoReturn

from runner.agent.estate import Estate
from runner.agent.importer import PushedSources
from runner.agent.policy import login
from runner.agent.policy_file import PATH, read_lines
from runner.agent.warden import guard
from runner.api.verdicts import LabError

_SIZE = re.compile(r"len\(d\)<(\d+)")
_LARGEST = 2**20
_LARGEST_UNPACKED = 8 * 2**20
_MARK = re.compile(r"runner-agent-[0-9a-f]{16}\n")


class OwnSources(PushedSources):
    """Sources of users' own modules, asked only for what is not installed here."""

    def __init__(self, *, allowed: bool) -> None:
        """Take them when that is allowed, else none."""
        super().__init__()
        self._allowed = allowed

    def add(self, sources: Mapping[str, Sequence[str]]) -> None:
        """Take them, or leave them."""
        super().add(sources if self._allowed else {})


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve one controller on stdin and stdout; return the exit status."""
    asked = _parser().parse_args(arguments)
    user = asked.user or login()
    try:
        lines = read_lines(asked.policy, user)
    except LabError as error:
        return _refuse(error.message)
    if lines is None:
        return _refuse(f"there is no policy {asked.policy}: an agent that is guarded needs one")
    size = _SIZE.search(environment.get("SSH_ORIGINAL_COMMAND", ""))
    if size is None or int(size[1]) > _LARGEST:
        return _refuse("this key starts nothing but agents of runner")
    mark = mark_of(_read(int(size[1])))
    if mark is None:
        return _refuse("what was sent does not begin an agent that this version of runner knows")
    os.environ.update(RUNNER_GUARDED=user, RUNNER_POLICY=asked.policy)
    code = lines["code"].values if "code" in lines else ()
    sources = OwnSources(allowed=code == ("own",))
    sys.meta_path.append(sources)
    os.write(1, mark)
    return guard(lambda estate: _agent(sources, estate), lambda estate: _heir(sources, estate))


def mark_of(payload: bytes) -> bytes | None:
    """Return the mark that a payload says when it begins; nothing of the payload is run."""
    unpacking = zlib.decompressobj()
    try:
        _begin, _sources, mark = json.loads(unpacking.decompress(payload, _LARGEST_UNPACKED))
    except (zlib.error, ValueError, TypeError):
        return None
    return mark.encode() if isinstance(mark, str) and _MARK.fullmatch(mark) else None


def _agent(sources: PushedSources, estate: Estate) -> NoReturn:
    from runner.agent.main import main as serve

    serve(sources, estate)


def _heir(sources: PushedSources, estate: Estate) -> NoReturn:
    from runner.agent.main import inherit

    inherit(sources, estate)


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size and (more := os.read(0, size - len(data))):
        data += more
    return data


def _refuse(why: str) -> int:
    sys.stderr.write(f"runner: {why}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="runner.agent.guarded", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--policy", default=PATH, help="the file that says what is allowed")
    parser.add_argument("--as", dest="user", default="", help="who logs in with this key; else the account")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
