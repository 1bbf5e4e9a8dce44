"""A debug probe that is used by the program probe-rs (probe.rs, "probe-rs CLI")."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Literal

from runner.api import (
    Context,
    DebugProbe,
    Driver,
    Duration,
    ImageFormat,
    LabError,
    Needs,
    Programmer,
    Unreachable,
    Width,
    arg,
)
from runner.api.program import how, run, tail

_ABSENT = re.compile(
    r"(?i)no (?:debug )?probe(?:s)? (?:was|were) found|probe could not be|no connected probes"
)
_SEVERAL = re.compile(r"(?i)multiple probes|several probes|more than one probe")
_TABLE_ADDRESS = re.compile(r"^[0-9a-fA-F]{8,16}:\s")
"""Newer versions begin each line with the address."""
_ERRORS = re.compile(r"(?im)^\s*(?:error:?\s*)(\S.*)$")


class ProbeRs(Driver, DebugProbe, Programmer):
    """A debug probe (CMSIS-DAP, J-Link, ST-Link and others), used by the program `probe-rs`.

    The options reach the program as variables of its environment, beside those that the host has.
    `flash` may use it, too; its `target` is the address that a plain binary begins at.
    It was tried with a program in its place only, and not with a probe.

    Example::

        devices:
          probe: {driver: probe_rs, chip: STM32F407VGTx, probe: "0483:374b", protocol: swd}
    """

    unconfined = True

    chip: str = arg(default="", help="the processor, as probe-rs names it")
    probe: str = arg(default="", help="which probe: VID:PID, or VID:PID:SERIAL")
    protocol: Literal["", "swd", "jtag"] = arg(default="", help="how it speaks; empty: the probe's usual way")
    speed: int | None = arg(default=None, help="in kHz; the probe's usual one when left out", minimum=1)
    connect_under_reset: bool = arg(default=False, help="hold the processor in reset while connecting")
    executable: str = arg(default="probe-rs", help="the program; a path, or a name on PATH")
    limit: Duration = arg(default=Duration("10m"), help="how long `flash` may take with it")

    def needs(self) -> Needs:
        """Return the program, of which Debian has no package."""
        return Needs(programs={self.executable: "probe-rs-tools, from https://probe.rs"})

    def info(self, context: Context, timeout: Duration) -> str:
        """Say what is found at the probe."""
        return self._run(["info"], context, timeout)

    def reset(self, context: Context, timeout: Duration) -> str:
        """Reset the processor."""
        return self._run(["reset"], context, timeout)

    def erase(self, context: Context, timeout: Duration) -> str:
        """Erase the flash."""
        return self._run(["erase"], context, timeout)

    def download(
        self,
        image: str,
        context: Context,
        timeout: Duration,
        *,
        image_format: ImageFormat,
        base_address: int | None,
        chip_erase: bool,
        verify: bool,
    ) -> str:
        """Write an image to the flash."""
        words = ["download", "--disable-progressbars"]
        words += ["--binary-format", image_format] if image_format != "auto" else []
        words += ["--base-address", hex(base_address)] if base_address is not None else []
        words += ["--chip-erase"] if chip_erase else []
        words += ["--verify"] if verify else []
        return self._run([*words, image], context, timeout)

    def read(
        self, width: Width, address: int, count: int, context: Context, timeout: Duration
    ) -> tuple[int, ...]:
        """Read words; raise LabError when it does not print so many."""
        printed = self._run(["read", f"b{width}", hex(address), str(count)], context, timeout)
        try:
            words = words_of(printed, width)
        except ValueError as error:
            raise self._wrong(f"printed no words of {width} bits: {error}", printed) from error
        if len(words) != count:
            raise self._wrong(f"printed {len(words)} words, expected {count}", printed)
        return words

    def write(
        self, width: Width, address: int, words: Sequence[int], context: Context, timeout: Duration
    ) -> None:
        """Write words."""
        self._run(["write", f"b{width}", hex(address), *map(hex, words)], context, timeout)

    def program(self, image: str, target: str, context: Context) -> None:
        """Write an image for `flash`; ValueError for a target that is no address."""
        base = int(target, 0) if target else None
        kind: ImageFormat = "bin" if base is not None else "auto"
        self.download(
            image,
            context,
            self.limit,
            image_format=kind,
            base_address=base,
            chip_erase=False,
            verify=True,
        )
        self.reset(context, self.limit)

    def environment(self) -> dict[str, str]:
        """Return the variables for the program, besides those that the host has."""
        given = {
            "PROBE_RS_CHIP": self.chip,
            "PROBE_RS_PROBE": self.probe,
            "PROBE_RS_PROTOCOL": self.protocol,
            "PROBE_RS_SPEED": str(self.speed or ""),
            "PROBE_RS_CONNECT_UNDER_RESET": "true" if self.connect_under_reset else "",
        }
        return {"PROBE_RS_NON_INTERACTIVE": "true", **{name: text for name, text in given.items() if text}}

    def _run(self, words: list[str], context: Context, timeout: Duration) -> str:
        """Run the program; raise Unreachable when there is no probe, LabError for every other failure."""
        command = [self.executable, *words]
        shown = shlex.join(["probe-rs", *words])
        ended, in_time = run(command, context, timeout=timeout, env=self.environment())
        evidence = {"command": shown, "status": ended.status, "stderr": tail(ended.stderr)}
        if not in_time:
            raise LabError(
                f"{shown} did not end within {timeout}",
                evidence={**evidence, "timeout": float(timeout)},
                hint="give it more time with 'timeout'",
            )
        if ended.status:
            said = _last_words(ended.stderr) or _last_words(ended.stdout)
            kind = Unreachable if _ABSENT.search(ended.stderr + ended.stdout) else LabError
            several = _SEVERAL.search(ended.stderr + ended.stdout)
            raise kind(
                f"{how(ended.status)}, expected 0: {shown}" + (f": {said}" if said else ""),
                evidence=evidence,
                hint="say which one it is: option 'probe', as VID:PID:SERIAL" if several else "",
            )
        return ended.stdout

    def _wrong(self, what: str, printed: str) -> LabError:
        return LabError(f"probe-rs {what}", evidence={"printed": tail(printed)})


def words_of(printed: str, width: int) -> tuple[int, ...]:
    r"""Read hexadecimal words, with or without the addresses of a table; raise ValueError for others.

    >>> words_of("20000000: deadbeef 00000001\n20000008: 00000002\n", 32)
    (3735928559, 1, 2)
    """
    words = [each for line in printed.splitlines() for each in _TABLE_ADDRESS.sub("", line).split()]
    for word in words:
        if not re.fullmatch(rf"(?:0x)?[0-9a-fA-F]{{1,{width // 4}}}", word):
            raise ValueError(f"{word!r} is none")
    return tuple(int(word, 16) for word in words)


def _last_words(text: str) -> str:
    """Return what it says is wrong: its first error, or its last line."""
    found = _ERRORS.search(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return found[1].strip() if found else lines[-1] if lines else ""
