"""What ffmpeg is told, and what it says (ffmpeg 5.1; ffmpeg(1), ffmpeg-formats(1): concat, rtsp, mpjpeg).

Whoever is on the host can read command lines. So the stream's URL, with the password that ffmpeg knows
only as a part of it, goes to its standard input, as a list of one file for its demuxer "concat".
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from runner.api import LabError, Secret, Unreachable, Unsupported
from runner.api.program import how

PROGRAM = "ffmpeg"
BOUNDARY = "ffmpeg"
"""What its muxer mpjpeg writes between pictures."""
ARGUMENTS = (
    *(PROGRAM, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"),
    *("-threads", "1", "-flags", "low_delay"),
    *("-protocol_whitelist", "pipe,tcp,udp,rtp", "-f", "concat", "-safe", "0", "-i", "pipe:0"),
    *("-an", "-fps_mode", "passthrough", "-q:v", "2", "-flush_packets", "1"),
    *("-f", "mpjpeg", "pipe:1"),
)
_LONGEST_IDENTITY = 127
"""Characters of user and password that it takes (RTSPState.auth); it cuts off the rest without a word."""
_KEPT_IN_URLS = string.punctuation.replace("'", "")
_SPEAKER = re.compile(r"^\[[^\]]* @ 0x[0-9a-f]+\] |^pipe:0: ")
_ANSWER = re.compile(r"method (\w+) failed: (\d{3}) ?(.*)")
_UNREACHABLE = re.compile(
    r"Failed to resolve hostname .*|Connection refused|Connection timed out|No route to host|"
    r"Network is unreachable"
)
_TOO_OLD = re.compile(r"fps_mode|unknown keyword 'option'", re.IGNORECASE)
_NOISE = ("deprecated pixel format", "Impossible to open")


@dataclass(frozen=True)
class Stream:
    """A camera's stream, and who asks for it."""

    url: str
    user: str = ""
    password: Secret = field(default_factory=Secret)
    transport: Literal["tcp", "udp"] = "tcp"

    @property
    def script(self) -> str:
        """What ffmpeg reads; raise Unsupported when it would not read all of it."""
        options = {"rtsp_transport": self.transport, "allowed_media_types": "video", "fpsprobesize": "0"}
        lines = [f"option {name} {value}\n" for name, value in options.items()]
        return f"ffconcat version 1.0\nfile '{self._whole_url}'\n" + "".join(lines)

    def told(self, line: str) -> str:
        """Return a line of ffmpeg without its speaker, and without who asks."""
        said = _SPEAKER.sub("", line.strip()).replace(f"{self._identity}@", "")
        for word in (self.password, quote(self.password, safe="")):
            said = said.replace(word, "******") if word else said
        return said

    def ended(self, words: Sequence[str], status: int, pictures: int) -> LabError:
        """Say why ffmpeg has ended, by its last words."""
        evidence = {"url": self.url, "status": status, "stderr": "\n".join(words)}
        last = [each for each in words if not any(noise in each for noise in _NOISE)]
        answers = [found for each in last if (found := _ANSWER.search(each))]
        unreachable = [found[0] for each in last if (found := _UNREACHABLE.search(each))]
        if answers:
            return self._refused(answers[-1][2], answers[-1][3], answers[-1][1], evidence)
        if unreachable and not pictures:
            return Unreachable(f"{self.url} cannot be reached: {unreachable[0]}", evidence=evidence)
        if too_old := [each for each in last if _TOO_OLD.search(each)]:
            return Unsupported(
                f"the host's ffmpeg is too old: {too_old[0]}",
                evidence=evidence,
                hint="it has to be 5.1 or newer",
            )
        said = f": {'; '.join(last[-2:])}" if last else ""
        what = f"{PROGRAM} has ended ({how(status)}){said}"
        if not pictures:
            return LabError(f"{self.url} has given no picture: {what}", evidence=evidence)
        why = f": {what}" if status or last else ""
        return LabError(f"{self.url}: the stream has ended{why}", evidence=evidence)

    def _refused(self, status: str, reason: str, method: str, evidence: dict[str, object]) -> LabError:
        if status == "401":
            who = f"user {self.user!r}" if self.user else "who does not say who it is"
            hint = "are 'user' and 'password' right?"
            return LabError(f"{self.url} refuses {who}: 401 {reason}", evidence=evidence, hint=hint)
        if status == "404":
            hint = "is the path right? The camera's manual has it"
            return LabError(
                f"{self.url}: there is no such stream: 404 {reason}", evidence=evidence, hint=hint
            )
        hint = "does it have the other 'transport'?" if method == "SETUP" else ""
        return LabError(f"{self.url} answers {status} {reason} to {method}", evidence=evidence, hint=hint)

    @property
    def _identity(self) -> str:
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"

    @property
    def _whole_url(self) -> str:
        """The URL, with nothing in it that would end its line or its quotes."""
        scheme, _, rest = quote(self.url, safe=_KEPT_IN_URLS).partition("://")
        if not self.user:
            return f"{scheme}://{rest}"
        if len(self._identity) > _LONGEST_IDENTITY:
            raise Unsupported(
                f"user and password have {len(self._identity)} characters as a part of a URL, "
                f"ffmpeg takes {_LONGEST_IDENTITY}"
            )
        return f"{scheme}://{self._identity}@{rest}"
