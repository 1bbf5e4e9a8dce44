"""The security chip of a simulated board: keys that never leave it, signatures that only it can make."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

TpmFault = Literal["works", "absent", "broken", "signs_wrongly"]
Digest = Literal["sha1", "sha256", "sha384", "sha512"]

_NAME_ALGORITHM = "000b"
"""SHA-256, which a name begins with (TCG, TPM 2.0 Library part 2, section 6.3)."""


class TpmError(Exception):
    """What the chip answers instead (TCG, TPM 2.0 Library part 2, section 6.6)."""

    def __init__(self, code: int, meaning: str) -> None:
        """Keep the response code and what the tools print for it."""
        super().__init__(meaning)
        self.code = code
        self.meaning = meaning


def _broken() -> TpmError:
    return TpmError(0x101, "tpm:error(2.0): commands not being accepted because of a TPM failure")


@dataclass(frozen=True)
class Key:
    """A key as the tools keep it in a context file: its name, and what it may be used for."""

    name: str
    parent: bool
    """True for one that only protects others."""


class Tpm:
    """Behaves as a TPM 2.0 does with the keys of one hierarchy; its cryptography is not RSA.

    A signature is an HMAC with a secret that is derived from the chip's seed: as with a real one,
    nobody else can make it, and another message or another key does not fit it.
    """

    def __init__(self, fault: TpmFault = "works") -> None:
        """Give it a seed of its own."""
        self.fault = fault
        self._seed = secrets.token_bytes(32)

    def primary(self, hierarchy: str) -> tuple[Key, str]:
        """Derive the key of a hierarchy, the same each time; return it and its modulus."""
        self._work()
        modulus = self._secret("primary", hierarchy)
        return Key(_name_of(modulus), parent=True), modulus

    def create(self, parent: Key) -> tuple[str, str]:
        """Make a key for signing; return its public part, and its private one for `parent` only."""
        self._work()
        if not parent.parent:
            raise TpmError(0x18A, "tpm:handle(1):the type of the value is not appropriate for the use")
        public = secrets.token_hex(256)
        return public, self._secret("protected by", parent.name, public)

    def load(self, parent: Key, public: str, private: str) -> Key:
        """Take a key back; refuse one that was not made under `parent`."""
        self._work()
        if not parent.parent:
            raise TpmError(0x18A, "tpm:handle(1):the type of the value is not appropriate for the use")
        if not hmac.compare_digest(private, self._secret("protected by", parent.name, public)):
            raise TpmError(0x1DF, "tpm:parameter(1):integrity check failed")
        return Key(_name_of(public), parent=False)

    def sign(self, key: Key, digest: Digest, message: str) -> str:
        """Sign a message, one character for each byte."""
        self._work()
        if key.parent:
            raise TpmError(0x19C, "tpm:handle(1):key fields are not compatible with the selected use")
        flaw = "flaw" if self.fault == "signs_wrongly" else ""
        return self._secret("signature", key.name, digest, _digest(digest, message) + flaw)

    def verify(self, key: Key, digest: Digest, message: str, signature: str) -> None:
        """Refuse a signature that is not this key's, of this message."""
        self._work()
        expected = self._secret("signature", key.name, digest, _digest(digest, message))
        if not hmac.compare_digest(signature, expected):
            raise TpmError(0x2DB, "tpm:parameter(2):the signature is not valid")

    def random(self, count: int) -> bytes:
        """Return so many random bytes."""
        self._work()
        return secrets.token_bytes(count)

    def _work(self) -> None:
        if self.fault == "broken":
            raise _broken()

    def _secret(self, *words: str) -> str:
        return hmac.new(self._seed, "\0".join(words).encode("latin-1"), "sha256").hexdigest()


def _name_of(public: str) -> str:
    return _NAME_ALGORITHM + hashlib.sha256(public.encode("ascii")).hexdigest()


def _digest(algorithm: Digest, message: str) -> str:
    return hashlib.new(algorithm, message.encode("latin-1")).hexdigest()
