"""The connection that the verbs of a VNC server share."""

from __future__ import annotations

from runner.api.display import Display
from runner.modules.vnc.rfb import Rfb


def session(display: Display, timeout: float) -> Rfb:
    """Return the connection, made anew when there is none or the server has ended it."""
    found = display.session
    if isinstance(found, Rfb):
        if found.fresh:
            return found
        found.close()
    made = Rfb(display.connect(timeout), display.where(), display.opens_with(), timeout)
    display.session = made
    return made
