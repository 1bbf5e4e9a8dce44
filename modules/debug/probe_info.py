"""Say what a debug probe finds."""

from __future__ import annotations

import re

from runner.api import Context, DebugProbe, Duration, Module, Result, arg, device

_LINE = re.compile(r"^\s*([A-Z][\w ()/-]{2,40}):[ \t]+(\S.*)$", re.MULTILINE)


class ProbeFound(Result):
    """What it found."""

    text: str
    values: dict[str, str]
    """The lines of the form ``name: value``."""


class ProbeInfo(Module):
    """Say what a debug probe finds at its end: the processor, its cores and access ports.

    Example::

        - probe_info:
          expect: "'Cortex-M4' in result.text"
    """

    reads_only = True
    limited_by = "timeout"

    timeout: Duration = arg(default=Duration("30s"), help="how long it may take")
    probe: DebugProbe = device(help="the probe")

    def run(self, context: Context) -> ProbeFound:
        """Ask it."""
        text = self.probe.info(context, self.timeout)
        return ProbeFound(text=text, values=dict(_LINE.findall(text)))
