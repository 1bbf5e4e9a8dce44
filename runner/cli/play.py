"""`runner play`."""

from __future__ import annotations

import contextlib
import os
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from runner.cli.ask_person import person
from runner.cli.common import (
    duration,
    extra_option,
    extra_values,
    fence_around,
    find_benches,
    inventory_option,
    survey_recipes,
    uncollected,
    untrusted_option,
)
from runner.cli.signals import signals
from runner.engine.attendant import refuse_without_person
from runner.engine.options import PlayOptions
from runner.engine.plan import Plan
from runner.engine.planning import make_plan
from runner.engine.schedule import Interrupts, play
from runner.errors import Fault, InputError
from runner.masking import Masker
from runner.model import Step
from runner.registry import Registry
from runner.template import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of this run beside which cases to play."""

    recipes: Sequence[str]
    inventories: Sequence[str]
    junit: str | None
    results: str
    console: bool
    output: str
    verbose: int


def _shard(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"{value!r} is not a share: write 1/3, 2/3 or 3/3")
    return int(match[1]), int(match[2])


@click.command(
    epilog="Exit codes: 0 passed, 1 a case failed, 2 the input is wrong, 3 the lab, 4 no bench, 5 clean-up."
)
@click.argument("recipes", nargs=-1, required=True, type=click.Path())
@inventory_option
@click.option("-l", "--limit", default="", metavar="PATTERN", help="Only these of the play's benches.")
@extra_option
@click.option("-t", "--tags", multiple=True, metavar="TAGS", help="Only cases with one of these tags (a,b).")
@click.option("--skip-tags", multiple=True, metavar="TAGS", help="No case or step with one of these tags.")
@click.option("-k", "names", multiple=True, metavar="TEXT", help="Only cases whose name contains this text.")
@click.option("--from", "start_at", default="", metavar="TEST", help="Begin with this test.")
@click.option("--check", is_flag=True, help="Run only what changes nothing; say what the rest would do.")
@click.option("--plan", "only_plan", is_flag=True, help="Print the cases that would run, and run none.")
@click.option("--step", "ask", is_flag=True, help="Ask before each step.")
@click.option("--fail-fast", is_flag=True, help="Begin no further case after the first that does not pass.")
@click.option("--repeat", type=click.IntRange(1), default=1, metavar="N", help="Play every case N times.")
@click.option("--until-fail", is_flag=True, help="Repeat until a case does not pass.")
@click.option(
    "--retries", type=click.IntRange(0), default=0, metavar="N", help="Play a bad case up to N times more."
)
@click.option(
    "--rerun-failed",
    is_flag=False,
    flag_value="latest",
    metavar="RUN",
    help="Only the cases that did not pass in a run (default: the latest).",
)
@click.option("--shard", callback=_shard, metavar="I/N", help="Only the I-th of N shares of the cases.")
@click.option("--shuffle", is_flag=False, flag_value="", metavar="SEED", help="Play in random order.")
@click.option(
    "--wait", callback=duration, metavar="TIME", help="How long to wait for a bench that somebody holds."
)
@click.option("--parallel", type=click.IntRange(1), metavar="N", help="At most N benches at once.")
@click.option("--strict-flaky", is_flag=True, help="A case that passed only after a retry fails the run.")
@click.option("--fail-on-skip", is_flag=True, help="A skipped case fails the run.")
@click.option("--allow-empty", is_flag=True, help="A run without any case is fine.")
@click.option("--junit", metavar="FILE", help="Write the JUnit file here, too.")
@click.option(
    "--results", default="results", show_default=True, metavar="DIR", help="Where the run's folder is made."
)
@click.option("--console", is_flag=True, help="Print what the consoles say.")
@untrusted_option
@click.option("--no-input", is_flag=True, help="Never ask a person anything.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Text, or events as JSON lines.",
)
@click.option("-v", "--verbose", count=True, help="Say more: -v steps, -vv logs of modules, -vvv tracebacks.")
def command(
    recipes: tuple[str, ...],
    inventories: tuple[str, ...],
    extra: tuple[str, ...],
    tags: tuple[str, ...],
    skip_tags: tuple[str, ...],
    only_plan: bool,
    ask: bool,
    rerun_failed: str | None,
    shuffle: str | None,
    untrusted: bool,
    **rest: Any,
) -> int:
    """Play recipes on the benches they name.

    \b
    Examples:
      runner play recipes/quickstart.yaml
      runner play boot.yaml -i lab.yaml --limit rpi4-01 -e image=nightly.img
      runner play *.yaml --rerun-failed --junit report.xml
    """
    asked = Asked(
        recipes=recipes,
        inventories=inventories,
        **{name: rest.pop(name) for name in ("junit", "results", "console", "output", "verbose")},
    )
    no_input = rest.pop("no_input")
    if ask and (no_input or not sys.stdin.isatty()):
        raise click.UsageError("--step asks a person, and there is none here")
    values = extra_values(extra)
    options = PlayOptions(
        extra=values,
        untrusted=fence_around(recipes, values) if untrusted else None,
        tags=_words(tags),
        skip_tags=_words(skip_tags),
        only=_failed_before(rerun_failed, asked.results),
        shuffle=_seed(shuffle),
        ask=_ask if ask else None,
        person=person(no_input=no_input),
        **rest,
    )
    return _play(asked, options, only_plan=only_plan)


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for each in given for word in each.replace(",", " ").split())


def _seed(shuffle: str | None) -> int | None:
    if shuffle is None:
        return None
    if shuffle and not shuffle.isdigit():
        raise click.BadParameter(f"{shuffle!r} is not a seed: write a whole number", param_hint="--shuffle")
    return int(shuffle) if shuffle else random.randrange(1_000_000)


def _ask(bench: str, step: Step) -> bool:
    return click.confirm(f"{bench}: {step.name or step.title} ({step.at})?", default=True, err=True)


def _failed_before(run: str | None, results: str) -> frozenset[str] | None:
    if run is None:
        return None
    from runner.report.folder import failed_cases

    return failed_cases(results, run)


@uncollected()
def planned(
    recipes: Sequence[str], inventories: Sequence[str], options: PlayOptions, masker: Masker
) -> tuple[Plan, Registry, Templates]:
    """Read and check everything; raise InputError with all that is wrong."""
    read, registry, faults = survey_recipes(recipes, options.untrusted)
    try:
        inventory = find_benches(
            inventories, recipes[0] if recipes else None, registry, trusted=options.untrusted is None
        )
    except InputError as error:
        faults.extend(error)
        faults.raise_if_any()
        raise
    templates = Templates()
    plan = make_plan(
        read,
        inventory,
        options,
        registry=registry,
        templates=templates,
        masker=masker,
        environment=os.environ,
        faults=faults,
    )
    return plan, registry, templates


OURS = 70
"""A run that ended without saying how: a mistake of ours, never a pass."""


def _play(asked: Asked, options: PlayOptions, *, only_plan: bool) -> int:
    masker = Masker()
    plan, registry, templates = planned(asked.recipes, asked.inventories, options, masker)
    if not plan.case_ids() and not options.allow_empty:
        raise InputError(
            [Fault(code="E521", message="no case is left to play", hint="--allow-empty if that is fine")]
        )
    if options.person is None and not (options.check or only_plan):
        refuse_without_person(plan)
    if only_plan:
        for case in plan.case_ids():
            click.echo(case)
        return 0
    return run_plan(plan, registry, templates, masker, asked)


def run_plan(plan: Plan, registry: Registry, templates: Templates, masker: Masker, asked: Asked) -> int:
    """Play a plan with the reports that were asked for and return the exit code."""
    import dataclasses

    from runner.cli.recorded_options import told
    from runner.connect.agents import connector
    from runner.connect.recording import Recording
    from runner.engine.classes import classes_of
    from runner.report.folder import RunFolder
    from runner.report.listeners import listeners

    folder = RunFolder.create(asked.results)
    options = dataclasses.replace(plan.options, run=folder.run, folder=str(folder.path))
    plan = dataclasses.replace(plan, options=options)
    interrupts = Interrupts()
    started = folder.started(asked.recipes, _shown(options))
    recording = Recording(folder.path, masker, told(started, asked.inventories, options))
    with signals(interrupts), contextlib.closing(recording):
        result = play(
            plan,
            recording.connector(
                connector(registry.sources, hosts=plan.inventory.hosts, classes=lambda: classes_of(plan))
            ),
            listeners(folder, asked.output, junit=asked.junit, console=asked.console, verbose=asked.verbose),
            templates=templates,
            masker=masker,
            interrupts=interrupts,
            started=started,
        )
    return result.exit_code if result.exit_code is not None else OURS


def _shown(options: PlayOptions) -> Mapping[str, Any]:
    keys = (
        "limit",
        "tags",
        "skip_tags",
        "names",
        "start_at",
        "check",
        "repeat",
        "retries",
        "shuffle",
        "shard",
    )
    return {name: value for name in keys if (value := getattr(options, name)) not in ("", (), None, False)}
