"""Unlock a control unit with the key to its seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.api import ByteString, Context, Duration, Module, RecipeFault, Result, arg, device
from runner.api.formula import Formula, key_of
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, echoed, negative_misfits


class UdsUnlocked(Result):
    """The seed, and whether it is unlocked now."""

    seed: ByteString
    """Empty when only a key was sent."""
    unlocked: bool
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsSecurity(Module):
    """Unlock a level of a control unit: ask for its seed, send the key to it (SecurityAccess, 0x27).

    `formula` says how the key follows from the seed. Where it takes more than arithmetic, a module of
    your own does it between two steps: without `formula` and `key` only the seed is asked for, with
    `key` only that is sent. A seed of zeros means that the level is unlocked already.

    Example::

        - uds_security: {level: 1, formula: "(seed ^ 0x5A5A5A5A) + level"}

        - uds_security: {level: 3}
          register: asked
        - uds_security: {level: 3, key: "{{ asked.seed }}"}
    """

    level: int = arg(default=1, help="the odd number that asks for the seed", minimum=1, maximum=0x7D)
    formula: str | None = arg(
        default=None, help="the key: whole numbers, seed, level, brackets, + - * // % ^ & | ~ << >>"
    )
    key: ByteString | None = arg(default=None, help="the key itself, to a seed that was asked for before")
    record: ByteString = arg(default=ByteString(""), help="more bytes of the request for the seed")
    expect_negative: str | int | None = arg(
        default=None, help=f"{NEGATIVE_HELP}; of the last request that is sent"
    )
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what is wrong with the formula, or with both ways at once."""
        yield from negative_misfits(given)
        if given.get("formula") is not None and given.get("key") is not None:
            yield Misfit("key", "the key follows from the formula, or is given: not both")
        if given.get("level", 1) % 2 == 0:
            yield Misfit("level", "the level is the odd number that asks for the seed")
        try:
            Formula(given.get("formula") or "0", "seed", "level")
        except ValueError as error:
            yield Misfit("formula", str(error))

    def run(self, context: Context) -> UdsUnlocked:
        """Ask for the seed, then send the key, as far as is wanted."""
        if self.key is not None:
            return self._send(self.key, ByteString(""), context)
        only_seed = self.formula is None
        request = bytes([0x27, self.level]) + bytes(self.record)
        expected = self.expect_negative if only_seed else None
        answer = ask(self.uds, request, context, expected, self.within)
        if answer.code is not None:
            return UdsUnlocked(seed=ByteString(""), unlocked=False, negative=code_of(answer))
        seed = ByteString(echoed(answer, bytes([self.level])))
        if self.formula is None or not any(seed):
            return UdsUnlocked(seed=seed, unlocked=not any(seed), negative="")
        try:
            key = key_of(self.formula, bytes(seed), self.level)
        except ValueError as error:
            raise RecipeFault(str(error)) from error
        return self._send(ByteString(key), seed, context)

    def _send(self, key: ByteString, seed: ByteString, context: Context) -> UdsUnlocked:
        request = bytes([0x27, self.level + 1]) + bytes(key)
        answer = ask(self.uds, request, context, self.expect_negative, self.within)
        if answer.code is None:
            echoed(answer, bytes([self.level + 1]))
        return UdsUnlocked(seed=seed, unlocked=answer.code is None, negative=code_of(answer))
