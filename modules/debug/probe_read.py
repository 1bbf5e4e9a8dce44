"""Read a processor's memory by its debug probe."""

from __future__ import annotations

from typing import Union

from runner.api import Context, DebugProbe, Duration, Failed, Module, Result, Width, arg, device
from runner.modules.debug.numbers import number, numbers


class ProbeWords(Result):
    """What stands in the memory."""

    address: str
    words: list[int]
    hex: list[str]
    """With as many digits as a word has."""
    bytes: bytes
    """As they stand there, the lowest byte of each word first."""


class ProbeRead(Module):
    """Read words of the processor's memory, and compare them.

    Example::

        - probe_read: {address: 0x20000000, count: 4}
          expect: result.words[0] == 0xdeadbeef
        - probe_read: {address: 0x40023830, expect: [0x1], mask: 0x1}
    """

    reads_only = True
    limited_by = "timeout"

    address: Union[int, str] = arg(primary=True, help="where, as a number")
    count: int = arg(default=1, help="how many words", minimum=1, maximum=65536)
    width: Width = arg(default=32, help="bits of a word")
    expect: list[Union[int, str]] = arg(default=[], help="what must stand there")
    mask: Union[int, str, None] = arg(default=None, help="the bits of each word that are compared; all")
    timeout: Duration = arg(default=Duration("30s"), help="how long it may take")
    probe: DebugProbe = device(help="the probe")

    def run(self, context: Context) -> ProbeWords:
        """Read and compare."""
        address, wanted = number(self.address, "address"), numbers(self.expect, self.width, "expect")
        words = self.probe.read(self.width, address, max(self.count, len(wanted)), context, self.timeout)
        digits = self.width // 4
        found = ProbeWords(
            address=f"0x{address:x}",
            words=list(words),
            hex=[f"0x{each:0{digits}x}" for each in words],
            bytes=b"".join(each.to_bytes(self.width // 8, "little") for each in words),
        )
        mask = (1 << self.width) - 1 if self.mask is None else number(self.mask, "mask")
        for index, (actual, expected) in enumerate(zip(words, wanted)):  # noqa: B905 - fewer may be compared
            if actual & mask != expected & mask:
                at = address + index * self.width // 8
                raise Failed(
                    f"0x{at:x} holds 0x{actual:0{digits}x}, expected 0x{expected:0{digits}x}"
                    + (f" under 0x{mask:0{digits}x}" if self.mask is not None else ""),
                    evidence={"address": f"0x{at:x}", "expected": expected, "actual": actual, "mask": mask},
                    result=found,
                )
        return found
