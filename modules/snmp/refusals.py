"""What an SNMP agent, or pysnmp on its behalf, answers instead of a value, as errors of the lab."""

from __future__ import annotations

from typing import Any

from runner.api import LabError, Unsupported

_STATUS = {
    "tooBig": "the answer does not fit into one message",
    "noSuchName": "it has no such object, or this one may not be written",
    "badValue": "the object does not take this value",
    "readOnly": "the object may not be written",
    "genErr": "it gives no reason",
    "noAccess": "the object is not for whom we ask as, or only to be read",
    "wrongType": "the object has another type",
    "wrongLength": "the value has the wrong length",
    "wrongEncoding": "the value is not encoded as it should be",
    "wrongValue": "the object does not take this value",
    "noCreation": "there is no such object, and it cannot be made",
    "inconsistentValue": "the object does not take this value now",
    "resourceUnavailable": "it lacks the resources",
    "commitFailed": "the value was accepted and not taken over",
    "undoFailed": "the value was accepted and not taken over, and what was changed is not changed back",
    "authorizationError": "who we ask as is not allowed to",
    "notWritable": "there is no such object that could be written",
    "inconsistentName": "there is no such object now",
}
"""RFC 3416, section 3 and 4.2.5, in the order of their numbers from 1."""
_CANNOT = frozenset({"noSuchName", "readOnly", "noCreation", "notWritable"})
_CREDENTIALS = {
    "UnknownUserName": ("it does not know the {user}", "'user' is its name on the agent"),
    "UnknownSecurityName": ("it does not know the {user}", "'user' is its name on the agent"),
    "WrongDigest": (
        "the key of the {user} is wrong (wrong digest)",
        "'auth_key' and 'auth_protocol' must be those of the agent",
    ),
    "AuthenticationFailure": (
        "the key of the {user} is wrong (its answer is not signed with it)",
        "'auth_key' and 'auth_protocol' must be those of the agent",
    ),
    "DecryptionError": (
        "it cannot decrypt what the {user} says",
        "'priv_key' and 'priv_protocol' must be those of the agent",
    ),
    "UnsupportedSecurityLevel": (
        "the {user} is not known there with these protocols",
        "'auth_protocol' and 'priv_protocol' must be those of the agent, and none where it has none",
    ),
    "AuthorizationError": ("the {user} may not do that", "the agent's access control says what it may"),
}
STALE = frozenset({"NotInTimeWindow", "UnknownEngineID", "EngineIDMismatch"})
"""What an agent says that has been restarted since we asked it first (RFC 3414, section 3.2)."""


def name_of_status(status: int) -> str:
    """Return the name of an error status (RFC 3416, section 3).

    >>> name_of_status(17)
    'notWritable'
    """
    names = tuple(_STATUS)
    return names[status - 1] if 0 < status <= len(names) else f"error status {status}"


def refused(agent: str, doing: str, status: int, oid: str) -> LabError:
    """Return the error for an error status."""
    name = name_of_status(status)
    kind = Unsupported if name in _CANNOT else LabError
    why = f" ({_STATUS[name]})" if name in _STATUS else ""
    return kind(
        f"{agent} refused to {doing}: {name}{why}",
        evidence={"agent": agent, "oid": oid, "status": name},
        hint="does the outlet or object exist, and may it be written?" if name in _CANNOT else "",
    )


def absent(agent: str, oid: str, why: str) -> Unsupported:
    """Return the error for an object that the agent has not."""
    return Unsupported(
        f"{agent} has no object {oid}: {why}",
        evidence={"agent": agent, "oid": oid, "status": why},
        hint="do the number of the outlet and the preset (or the OIDs) fit this unit?",
    )


def indicated(agent: str, doing: str, indication: Any, user: str) -> LabError:
    """Return the error for what went wrong before an answer could be read."""
    kind = type(indication).__name__
    why, hint = _CREDENTIALS.get(kind, (str(indication), ""))
    who = f"user {user!r}" if user else "community"
    return LabError(
        f"{agent} could not be asked to {doing}: {why.format(user=who)}",
        evidence={"agent": agent, "indication": kind},
        hint=hint,
    )
