"""A break on a console, where its port has such a thing."""

from __future__ import annotations

from runner.api import Context, Duration, Unsupported
from runner.console import Console, SerialConsole


def send_break(console: Console, duration: Duration, context: Context) -> None:
    """Hold the line for so long; raise Unsupported when the console is not on a serial port."""
    if not isinstance(console, SerialConsole):
        name = context.devices.get("console", "") or type(console).__name__
        raise Unsupported(
            f"a break: not supported by this console, {name!r}: it is no serial port",
            hint="consoles of the driver 'serial' have one",
        )
    console.send_break(duration, context)
