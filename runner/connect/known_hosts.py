"""Known host keys: what ``known_hosts`` files say of a key (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Standing = Literal["known", "unknown", "changed", "revoked"]
_MARKERS = ("@cert-authority", "@revoked")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """One line: a key of the hosts that match `hosts`. A marker is ``@revoked`` or ``@cert-authority``."""

    hosts: tuple[str, ...]
    kind: str
    key: bytes
    place: str
    marker: str = ""

    def of(self, name: str) -> bool:
        """Tell whether it is about a host, by its name as `host_name` writes it."""
        patterns = [each for each in self.hosts if not each.startswith("!")]
        refused = [each[1:] for each in self.hosts if each.startswith("!")]
        return any(_matches(each, name) for each in patterns) and not any(
            _matches(each, name) for each in refused
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known of a key, and which line says so."""

    standing: Standing
    place: str = ""
    authority: str = ""
    """The place of a certificate authority's line for this host, if any."""


def host_name(address: str, port: int) -> str:
    """Return the name under which a host is known.

    >>> host_name("shelf1.lab", 22), host_name("shelf1.lab", 2222)
    ('shelf1.lab', '[shelf1.lab]:2222')
    """
    return address if port == 22 else f"[{address}]:{port}"


def read_known_hosts(files: Iterable[Path]) -> tuple[KnownKey, ...]:
    """Read every line of these files that can be read; files that are not there hold none."""
    return tuple(key for file in files if file.is_file() for key in _keys_of(file))


def judge(keys: Sequence[KnownKey], name: str, key: bytes) -> Judgement:
    """Say what is known of a host's key."""
    about = [each for each in keys if each.of(name)]
    authority = next((each.place for each in about if each.marker == "@cert-authority"), "")
    for each in about:
        if each.marker == "@revoked" and each.key == key:
            return Judgement(standing="revoked", place=each.place)
    plain = [each for each in about if not each.marker]
    for each in plain:
        if each.key == key:
            return Judgement(standing="known", place=each.place)
    if plain:
        return Judgement(standing="changed", place=plain[0].place, authority=authority)
    return Judgement(standing="unknown", authority=authority)


def known_kinds(keys: Sequence[KnownKey], name: str) -> tuple[str, ...]:
    """Return the kinds of key that are known of a host: to be asked for first."""
    return tuple(dict.fromkeys(each.kind for each in keys if not each.marker and each.of(name)))


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint as ``ssh-keygen -l`` prints it.

    >>> fingerprint(b"")
    'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return f"SHA256:{base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip('=')}"


def line_of(name: str, kind: str, key: bytes) -> str:
    """Return the line that makes a key known."""
    return f"{name} {kind} {base64.b64encode(key).decode()}"


def _keys_of(file: Path) -> Iterator[KnownKey]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0] in _MARKERS else ""
        if len(words) < 3:
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        hosts = tuple(words[0].split(","))
        yield KnownKey(hosts=hosts, kind=words[1], key=key, place=f"{file}:{number}", marker=marker)


def _matches(pattern: str, name: str) -> bool:
    if not pattern.startswith("|1|"):
        return fnmatch.fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))
    try:
        _, _, salt, digest = pattern.split("|")
        salted = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(salted, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False
