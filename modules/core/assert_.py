"""Judge what is known so far."""

from __future__ import annotations

from runner.api import Context, Failed, Module, arg
from runner.api.judged import Judged


class Assert(Module):
    """Fail unless every condition holds, and show the values of the names in those that do not.

    Example::

        - assert: boot.elapsed < 20
        - assert:
            that:
              - kernel.output is match('6[.]')
              - boot.elapsed < 20
            message: the nightly image is too slow
    """

    runs_on = "controller"
    reads_only = True

    that: list[Judged] = arg(primary=True, help="the condition, or several; all of them are judged")
    message: str = arg(default="", help="what to say when one does not hold")

    def run(self, context: Context) -> None:  # noqa: ARG002 - everything was judged on the way here
        """Fail with those that do not hold."""
        broken = [each for each in self.that if not each.holds]
        if not broken:
            return
        said = "; ".join(map(_said, broken))
        raise Failed(
            f"{self.message}: {said}" if self.message else said,
            evidence={each.text: dict(each.operands) for each in broken if each.operands},
        )


def _said(judged: Judged) -> str:
    return f"expected {judged.text}" + (f", but {judged.values}" if judged.values else "")
