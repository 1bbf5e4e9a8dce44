"""`runner forward`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import click

from runner.agent.calls import Configure, DeviceSpec, Heard, Said, Take
from runner.agent.forwarding import Forward
from runner.agent.paths import resolved
from runner.api.address import names_device, read_address
from runner.api.values import Duration
from runner.api.verdicts import LabError, RecipeFault
from runner.cli.common import inventory_option
from runner.connect.agent import AgentLink
from runner.engine.cancel import Cancellation
from runner.engine.planning import NoBench
from runner.errors import InputError
from runner.recipe.devices import Problem, named

_BEHIND = "runner.cli.forward"
_SIGNALLED = 128


class WithProgram(click.Command):
    """A command behind whose ``--`` stands a program with its arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what stands behind ``--`` from the command's own arguments."""
        own, program = (
            (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        )
        ctx.meta[_BEHIND] = program
        return super().parse_args(ctx, own)


@click.command(
    cls=WithProgram,
    epilog="Exit codes: 0 fine, also after Ctrl-C, 2 the input is wrong, 3 the lab, 4 somebody holds the "
    "bench; with a program, the program's own.",
)
@click.argument("bench")
@click.argument("ports", nargs=-1, metavar="[LISTEN=]TO...")
@inventory_option
@click.option(
    "-R",
    "--reverse",
    multiple=True,
    metavar="[LISTEN=]TO",
    help="Listen on the bench's host, and lead to what this machine reaches. May be given several times.",
)
@click.option("--shared", is_flag=True, help="Do not take the bench: somebody may hold it.")
@click.option("--wait", default="0s", show_default=True, metavar="TIME", help="How long to wait for it.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How the addresses are printed.",
)
@click.pass_context
def command(
    context: click.Context,
    bench: str,
    ports: tuple[str, ...],
    inventories: tuple[str, ...],
    reverse: tuple[str, ...],
    shared: bool,
    wait: str,
    output: str,
) -> int:
    """Reach ports of a bench's host from here, until Ctrl-C or as long as a program runs.

    TO is a port, host:port, or the path of a Unix socket, as the bench's host reaches it; or
    a device of the network of the bench. LISTEN is where connections are accepted, in the same
    form; when it is left out, a free port of this machine. A program behind -- finds the
    addresses in RUNNER_FORWARD_1, RUNNER_FORWARD_2, … and their parts in RUNNER_FORWARD_1_HOST
    and _PORT.

    \b
    Examples:
      runner forward rpi4-01 8080
      runner forward rpi4-01 8000=10.0.0.5:80 /tmp/board.sock=/run/board.sock
      runner forward rpi4-01 web 8000=web
      runner forward rpi4-01 -R 9000=localhost:9000
      runner forward rpi4-01 80 -- sh -c 'curl http://$RUNNER_FORWARD_1/'
    """
    wanted = [
        *(_wanted(each, bench, reverse=False) for each in ports),
        *(_wanted(each, bench, reverse=True) for each in reverse),
    ]
    if not wanted:
        raise click.UsageError("which port? runner forward BENCH [LISTEN=]TO…", context)
    program: list[str] = context.meta[_BEHIND]
    with _agent(bench, inventories, wanted, shared=shared, wait=_duration(wait)) as (link, name):
        opened = _open(link, name, wanted)
        _tell(opened, output, to_stderr=bool(program))
        return _run(program, opened, link) if program else _stay(link)


def _duration(value: str) -> Duration:
    try:
        return Duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--wait") from error


def _wanted(written: str, bench: str, *, reverse: bool) -> Forward:
    listen, _, to = written.rpartition("=")
    if reverse or not names_device(to):
        _check_address(to, written)
    if listen:
        _check_address(listen, written)
    return Forward(bench=bench, to=to, listen=listen, reverse=reverse)


def _check_address(text: str, written: str) -> None:
    try:
        read_address(text)
    except RecipeFault as fault:
        raise click.BadParameter(f"{fault.message}: {fault.hint}", param_hint=repr(written)) from fault


@contextlib.contextmanager
def _agent(
    bench: str, inventories: tuple[str, ...], wanted: Sequence[Forward], *, shared: bool, wait: Duration
) -> Iterator[tuple[AgentLink, str]]:
    """Give the link to the agent of a bench's host, and the bench's name; the bench is ours meanwhile."""
    from runner.cli.one_bench import plan_one
    from runner.connect.agents import connector

    plan, registry = plan_one(bench, inventories, recipe=None, extra={})
    planned = plan.plays[0].benches[0]
    names = [each.to for each in wanted if not each.reverse and names_device(each.to)]
    problems = [named(each, "Network", planned.bench) for each in names]
    faults = [each.fault("forward") for each in problems if isinstance(each, Problem)]
    if faults:
        raise InputError(faults)
    configure = _only(planned.configure, names)
    drivers = tuple(each.path for each in configure.devices.values())
    connect = connector(registry.sources, hosts=plan.inventory.hosts, classes=lambda: drivers)
    link = connect(planned.bench.host, _nothing, _remark)
    if not isinstance(link, AgentLink):
        raise TypeError(f"no agent is behind {link!r}")
    name = planned.bench.name
    with contextlib.closing(link):
        link.call(configure, _nothing, cancel=Cancellation())
        if planned.locked and not shared:
            _take(link, Take(bench=name, holder="runner forward", wait=wait))
        yield link, name


def _only(configure: Configure, named: Sequence[str]) -> Configure:
    """Leave out all devices but those of these names and those that they work through.

    Somebody else may be using the others, and nothing of them is looked at.
    """
    devices: dict[str, DeviceSpec] = {}
    waiting = list(named)
    while waiting:
        name = resolved(waiting.pop(), configure.aliases).partition(".")[0]
        if name in configure.devices and name not in devices:
            devices[name] = configure.devices[name]
            waiting += [each for each in devices[name].devices.values() if each is not None]
    return dataclasses.replace(configure, devices=devices, orders=())


def _take(link: AgentLink, take: Take) -> None:
    try:
        link.call(take, _nothing, cancel=Cancellation())
    except LabError as error:
        if "holder" in error.evidence:
            raise NoBench(f"{error.message}; --shared does without holding it") from error
        raise


def _open(link: AgentLink, name: str, wanted: Sequence[Forward]) -> list[dict[str, Any]]:
    opened: list[dict[str, Any]] = []
    for each in wanted:
        request = Forward(bench=name, to=each.to, listen=each.listen, reverse=each.reverse)
        answer = link.call(request, _nothing, cancel=Cancellation())
        opened.append({"listen": answer["address"], "to": each.to, "reverse": each.reverse})
    return opened


def _tell(opened: Sequence[dict[str, Any]], output: str, *, to_stderr: bool) -> None:
    if output == "json":
        click.echo(json.dumps(opened), err=to_stderr)
        return
    for each in opened:
        here, there = ("the host: ", "here: ") if each["reverse"] else ("", "")
        click.echo(f"{here}{each['listen']} -> {there}{each['to']}", err=to_stderr)


def _stay(link: AgentLink) -> int:
    """Wait for Ctrl-C; raise LabError when the agent goes first."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        why = link.wait(Cancellation())
    except KeyboardInterrupt:
        return 0
    raise LabError(why)


def _run(program: Sequence[str], opened: Sequence[dict[str, Any]], link: AgentLink) -> int:
    """Run the program and return its exit status; it is ended when the agent goes first."""
    try:
        process = subprocess.Popen(program, env={**os.environ, **environment(opened)})
    except OSError as error:
        raise click.UsageError(f"{program[0]!r} cannot be started: {error.strerror}") from error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: process.send_signal(number))

    def end_it() -> None:
        link.wait(Cancellation())
        process.terminate()

    threading.Thread(target=end_it, name="forward watch", daemon=True).start()
    status = process.wait()
    if link.lost:
        raise LabError(link.lost)
    return status if status >= 0 else _SIGNALLED - status


def environment(opened: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the variables that tell a program the addresses.

    >>> environment([{"listen": "127.0.0.1:4711"}])["RUNNER_FORWARD_1_PORT"]
    '4711'
    """
    found: dict[str, str] = {}
    for number, each in enumerate(opened, start=1):
        name, address = f"RUNNER_FORWARD_{number}", str(each["listen"])
        found[name] = address
        if "/" not in address:
            host, _, port = address.rpartition(":")
            found |= {f"{name}_HOST": host.strip("[]"), f"{name}_PORT": port}
    return found


def _nothing(_heard: object) -> None:
    return


def _remark(heard: Heard) -> None:
    if isinstance(heard, Said) and heard.level != "debug":
        click.echo(heard.text, err=True)
