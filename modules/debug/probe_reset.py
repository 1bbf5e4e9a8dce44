"""Reset a processor by its debug probe."""

from __future__ import annotations

from runner.api import Context, DebugProbe, Duration, Module, Result, arg, device


class ProbeResetDone(Result):
    """What the probe said."""

    text: str


class ProbeReset(Module):
    """Reset the processor and let it run; after an image was written, that starts it.

    Example::

        - probe_reset:
    """

    limited_by = "timeout"

    timeout: Duration = arg(default=Duration("30s"), help="how long it may take")
    probe: DebugProbe = device(help="the probe")

    def run(self, context: Context) -> ProbeResetDone:
        """Have it done."""
        return ProbeResetDone(text=self.probe.reset(context, self.timeout))
