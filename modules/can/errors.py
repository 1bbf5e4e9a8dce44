"""What the kernel's error frames say (include/uapi/linux/can/error.h)."""

from __future__ import annotations

from collections.abc import Mapping

_CONTROLLER, _BUS_OFF, _RESTARTED = 0x004, 0x040, 0x100
_OVERFLOW = 0x01
_WARNING, _PASSIVE, _ACTIVE = 0x0C, 0x30, 0x40
_CLASSES: Mapping[int, str] = {
    0x001: "sending timed out",
    0x002: "lost arbitration",
    0x004: "controller problem",
    0x008: "protocol violation",
    0x010: "transceiver problem",
    0x020: "nobody acknowledged",
    0x040: "bus-off",
    0x080: "bus error",
    0x100: "controller restarted",
}


def state_after(error_class: int, data: bytes) -> str | None:
    """Return the state that an error frame tells of, None when it tells of none.

    >>> state_after(0x040, bytes(8)), state_after(0x004, bytes([0, 0x20])), state_after(0x020, bytes(8))
    ('bus-off', 'passive', None)
    """
    if error_class & _BUS_OFF:
        return "bus-off"
    if error_class & _RESTARTED:
        return "active"
    if error_class & _CONTROLLER and len(data) > 1:
        return _controller_state(data[1])
    return None


def _controller_state(bits: int) -> str | None:
    if bits & _PASSIVE:
        return "passive"
    if bits & _WARNING:
        return "warning"
    return "active" if bits & _ACTIVE else None


def overrun(error_class: int, data: bytes) -> bool:
    """Tell whether the controller had to throw frames away, because nobody took them in time."""
    return bool(error_class & _CONTROLLER and len(data) > 1 and data[1] & _OVERFLOW)


def told(error_class: int) -> str:
    """Say it in words.

    >>> told(0x0A0)
    'nobody acknowledged, bus error'
    """
    return ", ".join(text for bit, text in _CLASSES.items() if error_class & bit) or f"0x{error_class:X}"
