"""Who asks an SNMP agent, and how it is kept secret: community, user, protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from runner.api import Misfit

Version = Literal[1, "2c", 3]
Authentication = Literal["none", "md5", "sha", "sha224", "sha256", "sha384", "sha512"]
Privacy = Literal[
    "none", "des", "3des", "aes128", "aes192", "aes256", "aes192_blumenthal", "aes256_blumenthal"
]

# The names are those of pysnmp.hlapi.v3arch.asyncio.
AUTHENTICATION: Mapping[Authentication, str] = MappingProxyType(
    {
        "none": "USM_AUTH_NONE",
        "md5": "USM_AUTH_HMAC96_MD5",
        "sha": "USM_AUTH_HMAC96_SHA",
        "sha224": "USM_AUTH_HMAC128_SHA224",
        "sha256": "USM_AUTH_HMAC192_SHA256",
        "sha384": "USM_AUTH_HMAC256_SHA384",
        "sha512": "USM_AUTH_HMAC384_SHA512",
    }
)
PRIVACY: Mapping[Privacy, str] = MappingProxyType(
    {
        "none": "USM_PRIV_NONE",
        "des": "USM_PRIV_CBC56_DES",
        "3des": "USM_PRIV_CBC168_3DES",
        "aes128": "USM_PRIV_CFB128_AES",
        "aes192": "USM_PRIV_CFB192_AES",
        "aes256": "USM_PRIV_CFB256_AES",
        "aes192_blumenthal": "USM_PRIV_CFB192_AES_BLUMENTHAL",
        "aes256_blumenthal": "USM_PRIV_CFB256_AES_BLUMENTHAL",
    }
)
_SHORTEST_KEY = 8
"""Characters of a passphrase (RFC 3414, section 11.2)."""
_MODELS = {1: 0, "2c": 1}
"""Numbers of message processing models (RFC 3411, section 5)."""


@dataclass(frozen=True)
class Security:
    """How an agent knows us. Which fields are needed depends on the version."""

    version: Version = 3
    community: str = field(default="", repr=False)
    user: str = ""
    authentication: Authentication = "none"
    authentication_key: str = field(default="", repr=False)
    privacy: Privacy = "none"
    privacy_key: str = field(default="", repr=False)

    def misfits(self) -> Iterator[Misfit]:
        """Say which options are missing or too many."""
        return self._user_misfits() if self.version == 3 else self._community_misfits()

    def spoken(self) -> str:
        """Say who asks, without a secret.

        >>> Security(user="lab", authentication="sha", privacy="aes128").spoken()
        "SNMP 3, user 'lab', sha, aes128"
        """
        if self.version != 3:
            return f"SNMP {self.version}"
        protocols = (each for each in (self.authentication, self.privacy) if each != "none")
        return ", ".join((f"SNMP 3, user {self.user!r}", *protocols))

    def unanswered(self) -> str:
        """Say which of it an agent may have found wrong that does not answer."""
        if self.version != 3:
            return "an agent does not answer a wrong 'community' either"
        return (
            "many do not answer what a wrong 'priv_key' encrypted" if self.privacy != "none" else "is it on?"
        )

    def data(self) -> Any:
        """Return it as pysnmp wants it."""
        from pysnmp.hlapi.v3arch import asyncio as pysnmp

        if self.version != 3:
            return pysnmp.CommunityData("lab", self.community, mpModel=_MODELS[self.version])
        return pysnmp.UsmUserData(
            self.user,
            authKey=self.authentication_key or None,
            privKey=self.privacy_key or None,
            authProtocol=getattr(pysnmp, AUTHENTICATION[self.authentication]),
            privProtocol=getattr(pysnmp, PRIVACY[self.privacy]),
        )

    def _community_misfits(self) -> Iterator[Misfit]:
        if not self.community:
            yield Misfit("community", f"SNMP {self.version} needs a community")
        written = {"user": self.user, "auth_key": self.authentication_key, "priv_key": self.privacy_key}
        for name in (name for name, value in written.items() if value):
            yield Misfit(name, f"{name}: SNMP {self.version} knows no users", "version: 3 does")

    def _user_misfits(self) -> Iterator[Misfit]:
        if not self.user:
            yield Misfit("user", "SNMP 3 needs a user")
        if self.community:
            yield Misfit("community", "SNMP 3 knows no community", "version: 1 and 2c do")
        yield from _key_misfits("auth", self.authentication, self.authentication_key)
        yield from _key_misfits("priv", self.privacy, self.privacy_key)
        if self.privacy != "none" and self.authentication == "none":
            hint = "auth_protocol: md5, sha, sha256 …"
            yield Misfit("priv_protocol", f"privacy ({self.privacy}) needs authentication", hint)


def _key_misfits(kind: str, protocol: str, key: str) -> Iterator[Misfit]:
    name = f"{kind}_key"
    if protocol == "none":
        if key:
            yield Misfit(name, f"{name} needs a protocol that uses it", f"{kind}_protocol names it")
    elif not key:
        yield Misfit(f"{kind}_protocol", f"{protocol} needs a key", f"{name} is the passphrase")
    elif len(key) < _SHORTEST_KEY:
        why = f"{name} is too short: a passphrase has at least {_SHORTEST_KEY} characters"
        yield Misfit(name, why, "RFC 3414, section 11.2")
