"""Log in on the board's console."""

from __future__ import annotations

from runner.api import Context, Duration, Module, Secret, arg, device
from runner.console import Console, LoggedIn


class ConsoleLogin(Module):
    """Get to a shell on the board's console: wait for the system, log in, and prove the shell.

    Where there is a shell already, nothing is asked. A refused or expired password, an emergency
    shell and a kernel panic fail at once.

    Example::

        - power_cycle:
        - console_login: {user: root, password: "{{ root_pw }}", within: 90s}
          register: boot
    """

    limited_by = "within"

    user: str = arg(default="root", primary=True, help="who logs in")
    password: Secret | None = arg(default=None, secret=True, help="the password, if one is asked for")
    within: Duration = arg(default=Duration("60s"), help="how long until the shell answers, with booting")
    console: Console = device(help="the console with the login")

    def run(self, context: Context) -> LoggedIn:
        """Log in."""
        return self.console.login(context, user=self.user, password=self.password, within=self.within)
