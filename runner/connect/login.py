"""Logging in: the keys and passwords of a user, in the order in which ``ssh`` tries them."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH

from runner.api.verdicts import LabError
from runner.connect.route import Hop

_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class _Agent(AgentSSH):
    """The keys of an agent at a socket; none when nobody listens there."""

    def __init__(self, path: str) -> None:
        super().__init__()
        with contextlib.suppress(OSError):  # the variable outlives the agent
            port = socket.socket(socket.AF_UNIX)
            try:
                port.connect(path)
            except OSError:
                port.close()
                raise
            self._connect(port)  # type: ignore[attr-defined]  # the stubs leave it out

    def close(self) -> None:
        """Leave the agent."""
        self._close()  # type: ignore[attr-defined]  # as above


def log_in(transport: paramiko.Transport, hop: Hop) -> None:
    """Log in with the first key that is accepted, else with the password; raise LabError when none is."""
    transport.auth_timeout = hop.within
    tried: list[str] = []
    try:
        with contextlib.closing(_Agent(hop.agent)) as agent:
            if _by_key(transport, hop, agent.get_keys(), tried) or _by_password(transport, hop, tried):
                return
    except paramiko.BadAuthenticationType as error:
        tried.append(f"the server asks for {' or '.join(error.allowed_types)}")
    except (paramiko.SSHException, EOFError, OSError) as error:
        tried.append(f"the server ended it: {error or type(error).__name__}")
    raise LabError(
        f"{hop}: nobody was let in as {hop.user!r}: {'; '.join(tried) or 'there is no key and no password'}",
        hint="name the key with 'identity_file' of the host, add it to the agent with ssh-add, put its "
        f"public part into ~{hop.user}/.ssh/authorized_keys there, or give 'password: !secret …'",
    )


def _by_key(
    transport: paramiko.Transport, hop: Hop, held: Sequence[paramiko.AgentKey], tried: list[str]
) -> bool:
    for name, key in _keys(hop, held, tried):
        try:
            if not transport.auth_publickey(hop.user, key):
                return True
        except paramiko.BadAuthenticationType:
            tried.append("keys are not accepted by the server")
            return False
        except paramiko.AuthenticationException:
            tried.append(f"{name} was not accepted")
        else:
            tried.append(f"{name} was accepted, and the server wants more")
            return False
    return False


def _by_password(transport: paramiko.Transport, hop: Hop, tried: list[str]) -> bool:
    if not hop.password:
        return False
    try:
        return not transport.auth_password(hop.user, str(hop.password))
    except paramiko.BadAuthenticationType:
        tried.append("passwords are not accepted by the server")
    except paramiko.AuthenticationException:
        tried.append("the password was not accepted")
    return False


def _keys(
    hop: Hop, held: Sequence[paramiko.AgentKey], tried: list[str]
) -> Iterator[tuple[str, paramiko.PKey]]:
    """Return the keys to try: those of the agent that are meant, those in files, the agent's others."""
    public = {blob for path in hop.keys if (blob := _public(path))}
    yield from ((_named(key), key) for key in held if key.asbytes() in public)
    yield from _in_files(hop, tried)
    if not hop.own_keys_only:
        yield from ((_named(key), key) for key in held if key.asbytes() not in public)


def _named(key: paramiko.AgentKey) -> str:
    return f"the agent's key {key.fingerprint}"


def _in_files(hop: Hop, tried: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    for path in hop.keys:
        if not path.is_file():
            if hop.own_keys_only:
                tried.append(f"there is no {path}")
            continue
        try:
            yield str(path), _key(path, str(hop.password) or None, hop.certificate)
        except paramiko.PasswordRequiredException:
            tried.append(f"{path} needs a passphrase (ssh-add {path}, or 'password' of the host)")
        except (paramiko.SSHException, OSError, ValueError) as error:
            tried.append(f"{path} cannot be used: {error}")


def _key(path: Path, passphrase: str | None, certificate: Path | None) -> paramiko.PKey:
    """Read a private key of any kind, with its certificate if there is one."""
    problem: Exception = paramiko.SSHException("not a private key")
    for kind in _KEYS:
        try:
            key = kind.from_private_key_file(str(path), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError) as error:
            problem = error
            continue
        beside = path.with_name(f"{path.name}-cert.pub")
        found = [each for each in (beside, certificate) if each and each.is_file() and _certifies(each, key)]
        for each in found[:1]:
            key.load_certificate(str(each))
        return key
    raise problem


def _certifies(certificate: Path, key: paramiko.PKey) -> bool:
    """Tell whether a certificate is for this key: behind a nonce it repeats the key (PROTOCOL.certkeys)."""
    said = paramiko.Message(base64.b64decode(certificate.read_text(encoding="utf-8").split()[1]))
    kind, _nonce = said.get_text(), said.get_string()
    public = paramiko.Message(key.asbytes())
    return kind.startswith(public.get_text()) and said.get_remainder().startswith(public.get_remainder())


def _public(path: Path) -> bytes:
    """Return the public part of a key as it stands in the file beside it; nothing when it cannot be read."""
    try:
        return base64.b64decode(path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").split()[1])
    except (OSError, ValueError, IndexError):
        return b""
