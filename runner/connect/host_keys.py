"""Whether a host is the one we mean: its key, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence

from runner.api.verdicts import LabError
from runner.connect.known_hosts import (
    Judgement,
    fingerprint,
    host_name,
    judge,
    known_kinds,
    line_of,
    read_known_hosts,
)
from runner.connect.route import Hop

_RSA = ("rsa-sha2-512", "rsa-sha2-256")
"""How a key of kind ``ssh-rsa`` signs (RFC 8332)."""


def preferred_kinds(hop: Hop, kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of host key to ask for, those first of which a key is known."""
    known = known_kinds(read_known_hosts(hop.known_hosts), _name(hop))
    wanted = [each for kind in known for each in (_RSA if kind == "ssh-rsa" else (kind,)) if each in kinds]
    return (*wanted, *(each for each in kinds if each not in wanted))


def check_host_key(hop: Hop, kind: str, key: bytes) -> None:
    """Raise LabError unless a host's key is known, pinned, or may be believed as the first one seen."""
    print_ = fingerprint(key)
    if hop.host_key.startswith("SHA256:"):
        if print_ != hop.host_key.rstrip("="):
            raise LabError(
                f"{hop}: its {kind} key is {print_}, and 'host_key' of the host says {hop.host_key}",
                hint="somebody else may be answering; if the key was changed on purpose, change 'host_key'",
            )
        return
    known = judge(read_known_hosts(hop.known_hosts), _name(hop), key)
    match known.standing:
        case "known":
            return
        case "revoked":
            raise LabError(f"{hop}: its {kind} key {print_} is revoked by {known.place}")
        case "changed":
            raise LabError(
                f"{hop}: its {kind} key {print_} is not the one in {known.place}",
                hint="somebody else may be answering; if the key was changed on purpose: "
                f"ssh-keygen -R '{_name(hop)}' -f {known.place.rpartition(':')[0]}",
            )
        case "unknown":
            _meet(hop, kind, key, known)


def _meet(hop: Hop, kind: str, key: bytes, known: Judgement) -> None:
    """Keep the key of a host that was never seen when the inventory allows it; raise LabError otherwise."""
    line = line_of(_name(hop), kind, key)
    file = hop.known_hosts[0] if hop.known_hosts else None
    if hop.host_key == "accept-new" and file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{line}\n")
        return
    authority = (
        f"; {known.authority} knows an authority for it: transport: openssh asks it"
        if known.authority
        else ""
    )
    raise LabError(
        f"{hop}: its {kind} key {fingerprint(key)} is not known{authority}",
        hint=f"if that is what 'ssh-keygen -lf' prints there, add this line to "
        f"{file or 'a file of known hosts'}:\n{line}",
    )


def _name(hop: Hop) -> str:
    return hop.known_as or host_name(hop.address, hop.port)
