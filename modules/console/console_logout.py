"""Log out on the board's console."""

from __future__ import annotations

from runner.api import Context, Duration, Module, arg, device
from runner.console import Console, LoggedOut


class ConsoleLogout(Module):
    """Leave the shell on the board's console, and wait until the login asks again.

    The shell gets its echo, and the kernel its log level back. Shells inside shells are all left.

    Example::

        - console_logout:
        - console_login: {user: guest, password: "{{ guest_pw }}"}
    """

    limited_by = "within"

    within: Duration = arg(default=Duration("30s"), help="how long until the login asks")
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> LoggedOut:
        """Leave it."""
        return self.console.logout(context, within=self.within)
