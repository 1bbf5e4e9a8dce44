"""Tell where a console of a virtual machine is reached."""

from __future__ import annotations

from runner.api import Context, Machine, MachineConsoleUrl, Module, arg, device


class ConsoleUrl(Module):
    """Ask for the URL (of a WebSocket) at which a console of a virtual machine is reached.

    Who knows the URL has the console: no report, log or recording shows it, and the service lets it
    expire. The recipe can hand it on. The console verbs need none of this: they ask by themselves.

    Example::

        - console_url:
          register: uart
        - console_url: Primary Compute Secure
          expect: result.console_id == 'port-2-cons'
    """

    console: str = arg(default="", primary=True, help="its name or id; empty: the one that the device uses")
    vm: Machine = device(help="the virtual machine")

    def run(self, context: Context) -> MachineConsoleUrl:
        """Ask for it."""
        del context
        return self.vm.console_url(self.console)

    def predict(self, context: Context) -> str:
        """Look at the machine: a URL that nobody uses is not asked for."""
        del context
        which = repr(self.console) if self.console else "its console"
        return f"would ask for the URL of {which}: the machine is {self.vm.state()}"
