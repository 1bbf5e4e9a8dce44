"""Erase the flash of a processor by its debug probe."""

from __future__ import annotations

from runner.api import Context, DebugProbe, Duration, Module, Result, arg, device


class ProbeEraseDone(Result):
    """What the probe said."""

    text: str


class ProbeErase(Module):
    """Erase all of the flash of the processor.

    Example::

        - probe_erase:
    """

    limited_by = "timeout"

    timeout: Duration = arg(default=Duration("10m"), help="how long it may take")
    probe: DebugProbe = device(help="the probe")

    def run(self, context: Context) -> ProbeEraseDone:
        """Have it done."""
        return ProbeEraseDone(text=self.probe.erase(context, self.timeout))
