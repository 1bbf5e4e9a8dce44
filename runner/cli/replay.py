"""`runner replay`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

from runner.agent.calls import ConsoleBytes, Heard
from runner.cli.common import (
    extra_option,
    extra_values,
    fence_around,
    in_json,
    inventory_option,
    untrusted_option,
)
from runner.cli.play import OURS, planned
from runner.cli.recorded_options import by_another_version, options_of
from runner.cli.signals import signals
from runner.connect.link import Link
from runner.connect.recorded import Recorded, read_recording
from runner.connect.replay import ReplayLink
from runner.connect.timeline import Timeline
from runner.engine.plan import Plan, PlannedPlay
from runner.engine.replay import ReplayClock
from runner.engine.schedule import Interrupts, play
from runner.errors import Fault, InputError, Location
from runner.masking import Masker
from runner.model import Block, Call, Host, Parallel, Step
from runner.report.folder import RunFolder, find_run
from runner.report.listeners import Listener, listeners
from runner.template import Templates


@click.command(
    epilog="Exit codes: as of play; 2 as well when the recording is damaged. A step that asks of the board "
    "what was not asked that day ends as an error, and says what was."
)
@click.argument("run", default="latest")
@click.argument("recipe", required=False, type=click.Path())
@inventory_option
@extra_option
@click.option("-l", "--limit", default="", metavar="PATTERN", help="Only this bench of those recorded.")
@untrusted_option
@click.option("--junit", metavar="FILE", help="Write the JUnit file here, too.")
@click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    help="Where the runs are; what comes of the replay goes to DIR/replays/RUN.",
)
@click.option("--console", is_flag=True, help="Print what the consoles say.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Text, or events as JSON lines.",
)
@click.option("-v", "--verbose", count=True, help="Say more: -v steps, -vv logs of modules, -vvv tracebacks.")
def command(
    run: str,
    recipe: str | None,
    inventories: tuple[str, ...],
    extra: tuple[str, ...],
    limit: str,
    untrusted: bool,
    junit: str | None,
    results: str,
    console: bool,
    output: str,
    verbose: int,
) -> int:
    """Judge a recorded run again: without hardware, on its own clock, with the same result each time.

    The recipe is that of the run, as it is now, unless another is given. What was played as not
    trusted stays so.

    \b
    Examples:
      runner replay
      runner replay 20261121T081500Z-1a2b3c
      runner replay latest boot-corrected.yaml --junit report.xml
    """
    with in_json(output):
        source = find_run(results, run)
        recorded = read_recording(source)
        began = recorded.started
        options = options_of(began, extra_values(extra), limit)
        masker = Masker()
        recipes = (recipe,) if recipe else tuple(began["recipes"])
        if untrusted or began.get("untrusted"):
            options = dataclasses.replace(options, untrusted=fence_around(recipes, options.extra))
        plan, _registry, templates = planned(
            recipes, inventories or tuple(began["inventories"]), options, masker
        )
        bench = _only_bench(plan, recorded)
        _refuse_concurrent(plan)
        folder = _folder(Path(results) / "replays" / began["run"], recorded)
    if not recorded.complete:
        click.echo(f"warning: {recorded.path}: the run was killed; this is up to its end", err=True)
    plan = dataclasses.replace(
        plan, options=dataclasses.replace(options, run=folder.run, folder=str(folder.path))
    )
    reports = listeners(folder, output, junit=junit, console=console, verbose=verbose)
    return _replay(plan, bench, recorded, folder, recipes, reports, templates, masker)


def _replay(
    plan: Plan,
    bench: str,
    recorded: Recorded,
    folder: RunFolder,
    recipes: Sequence[str],
    reports: Sequence[Listener],
    templates: Templates,
    masker: Masker,
) -> int:
    entries, origin = recorded.entries.get(bench, ()), by_another_version(recorded.started)
    timeline = Timeline(entries, recorded.began_on(bench), origin=origin)

    def connect(_host: Host, console: Callable[[ConsoleBytes], None], heard: Callable[[Heard], None]) -> Link:
        return ReplayLink(recorded, bench, timeline, console, heard, masker.mask_bytes)

    interrupts = Interrupts()
    with signals(interrupts):
        result = play(
            plan,
            connect,
            reports,
            templates=templates,
            masker=masker,
            interrupts=interrupts,
            started=folder.started(recipes, {"replay": recorded.started["run"]}),
            clock=ReplayClock(timeline),
        )
    return result.exit_code if result.exit_code is not None else OURS


def _only_bench(plan: Plan, recorded: Recorded) -> str:
    """Return the bench that is replayed; raise InputError when there is not exactly one."""
    names = list(dict.fromkeys(each.bench.name for play_ in plan.plays for each in play_.benches))
    if len(names) == 1 and (names[0] in recorded.benches or not recorded.benches):
        return names[0]
    if len(names) == 1:
        message = f"bench {names[0]!r} is not in the recording: it is of {', '.join(recorded.benches)}"
    else:
        message = f"a replay plays one bench, and here are {len(names)}: {', '.join(names)}"
    hint = f"--limit {recorded.benches[0]}" if recorded.benches else ""
    raise InputError([Fault(code="E543", message=message, hint=hint)])


def _refuse_concurrent(plan: Plan) -> None:
    """Refuse steps that run side by side: a replay has one clock."""
    faults = [
        Fault(code="E543", message="background and parallel steps cannot be replayed yet", at=at)
        for play_ in plan.plays
        for at in dict.fromkeys(_concurrent(_all_steps(play_)))
    ]
    if faults:
        raise InputError(faults)


def _all_steps(planned_: PlannedPlay) -> Iterator[Step]:
    yield from (*planned_.play.setup, *planned_.play.teardown)
    for case in planned_.cases:
        yield from (*case.test.setup, *case.test.steps, *case.test.teardown)
    for bench in planned_.benches:
        yield from (*bench.on_acquire, *bench.on_release)


def _concurrent(steps: Iterable[Step]) -> Iterator[Location]:
    for step in steps:
        if step.background or isinstance(step.what, Parallel):
            yield step.at
        match step.what:
            case Block(steps=inner, rescue=rescue, always=always):
                yield from _concurrent((*inner, *rescue, *always))
            case Call(action=action):
                yield from _concurrent(action.steps)
            case _:
                continue


def _folder(path: Path, recorded: Recorded) -> RunFolder:
    """Make the folder of the replay; what an earlier one has left there goes."""
    began = recorded.started
    try:
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
    except OSError as error:
        message = f"the results cannot be put into {path}: {error.strerror}"
        raise InputError([Fault(code="E531", message=message, hint="--results DIR")]) from error
    return RunFolder(run=began["run"], path=path, began=dt.datetime.fromisoformat(began["started"]))
