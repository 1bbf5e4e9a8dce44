"""Wait for something on a console."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runner.api import Context, Duration, Module, RecipeFault, arg, device
from runner.console import Console, Match, Pattern, exact, regex


class ExpectConsole(Module):
    """Wait until the board says something on its console, or make sure that it does not.

    Looked at is what came after the last match, also when that was before this step began.
    Patterns are regular expressions, for the text without colours and terminal codes.

    Example::

        - expect_console: "login: "
        - expect_console: {pattern: 'link is (?P<state>up|down)', within: 5s}
          expect: result.named.state == 'up'
        - expect_console:
            any_of: {ok: "PASS", bad: "FAIL [0-9]+"}
            forbid: ["segfault"]
          register: selftest
        - expect_console: {all_of: {net: "eth0: link up", disk: "mmcblk0: p1"}, ordered: true}
          register: boot
          expect: boot.found[0].elapsed < 5
        - expect_console: {exact: "[ERROR]", absent: true, within: 10s}
    """

    limited_by = "within"

    pattern: str | None = arg(default=None, primary=True, help="a regular expression")
    exact: str | None = arg(default=None, help="the very text, without any meaning in its characters")
    any_of: dict[str, str] | list[str] = arg(
        default=[], help="several patterns, with names or without; the first one that is seen ends the step"
    )
    all_of: dict[str, str] | list[str] = arg(
        default=[], help="several patterns, with names or without, that must all be seen"
    )
    ordered: bool = arg(default=False, help="those of all_of must be seen in their order")
    count: int = arg(default=1, help="how many times it must be seen", minimum=1)
    forbid: dict[str, str] | list[str] = arg(
        default=[], help="patterns, with names or without, that fail the step at once"
    )
    absent: bool = arg(default=False, help="true: it must not be seen as long as `within`")
    within: Duration = arg(default=Duration("30s"), help="how long to wait")
    since: str = arg(
        default="last",
        help="where to begin: last (the end of the last match), start, now, step (where this step began), "
        "power_on, or a mark's name",
    )
    console: Console = device(help="the console")

    def run(self, context: Context) -> Match:
        """Wait for it."""
        if self.since == "step":
            self.console.mark("step")
        return self.console.expect(
            self._patterns(),
            context,
            within=self.within,
            since=self.since,
            forbid=_all_made(self.forbid, "forbid"),
            absent=self.absent,
            all_of=bool(self.all_of),
            ordered=self.ordered,
            count=self.count,
        )

    def _patterns(self) -> list[Pattern]:
        given = [
            each
            for each in (self.pattern, self.exact, self.any_of, self.all_of)
            if each not in (None, [], {})
        ]
        if len(given) != 1:
            raise RecipeFault("expect_console needs one of 'pattern', 'exact', 'any_of' and 'all_of'")
        if self.exact is not None:
            return [_made(exact, self.exact, "exact")]
        if self.pattern is not None:
            return [_made(regex, self.pattern, "pattern")]
        return _all_made(self.any_of, "any_of") or _all_made(self.all_of, "all_of")


def _all_made(given: dict[str, str] | list[str], argument: str) -> list[Pattern]:
    if isinstance(given, dict):
        return [_made(partial(regex, name=name), text, argument) for name, text in given.items()]
    return [_made(regex, each, argument) for each in given]


def _made(make: Callable[[str], Pattern], text: str, argument: str) -> Pattern:
    try:
        return make(text)
    except ValueError as error:
        raise RecipeFault(f"{argument}: {error}") from error
