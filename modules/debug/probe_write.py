"""Write a processor's memory by its debug probe."""

from __future__ import annotations

from typing import Union

from runner.api import (
    Context,
    DebugProbe,
    Duration,
    LabError,
    Module,
    RecipeFault,
    Result,
    Width,
    arg,
    device,
)
from runner.modules.debug.numbers import number, numbers


class ProbeWritten(Result):
    """What came of it."""

    before: list[int]
    changed: bool
    """False when the words stood there already; then nothing was written."""


class ProbeWrite(Module):
    """Write words to the processor's memory (RAM and registers), and read them back.

    Example::

        - probe_write: {address: 0x20000000, words: [0xdeadbeef, 1]}
        - probe_write: {address: 0x40020014, words: [0x20], verify: false}
    """

    limited_by = "timeout"

    address: Union[int, str] = arg(help="where, as a number")
    words: list[Union[int, str]] = arg(primary=True, help="what is written")
    width: Width = arg(default=32, help="bits of a word")
    verify: bool = arg(default=True, help="read it back; false for registers that read differently")
    timeout: Duration = arg(default=Duration("30s"), help="how long each access may take")
    probe: DebugProbe = device(help="the probe")

    def run(self, context: Context) -> ProbeWritten:
        """Read, write what differs, read again."""
        address, words = number(self.address, "address"), numbers(self.words, self.width, "words")
        if not words:
            raise RecipeFault("probe_write has no words to write")
        before = self.probe.read(self.width, address, len(words), context, self.timeout)
        if self.verify and before == words:
            return ProbeWritten(before=list(before), changed=False)
        self.probe.write(self.width, address, words, context, self.timeout)
        if self.verify:
            after = self.probe.read(self.width, address, len(words), context, self.timeout)
            if after != words:
                shown = " ".join(f"0x{each:x}" for each in after)
                raise LabError(
                    f"0x{address:x} does not keep what is written: it holds {shown}",
                    evidence={"expected": list(words), "actual": list(after)},
                )
        return ProbeWritten(before=list(before), changed=True)
