"""The command `runner`: finds a command's file when it is asked for, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "play": ("play", "Play recipes on the benches they name."),
        "check": ("check", "Check recipes without touching any hardware."),
        "list": ("listing", "List tests, steps, benches, tags, modules or drivers."),
        "doc": ("doc", "Explain a module, a driver or an error code."),
        "schema": ("schema", "Print or write the JSON Schemas for editors."),
        "inventory": ("inventory", "Show the inventory as it is understood."),
        "explain": ("explain", "Show where a variable gets its value."),
        "do": ("do", "Run one module on one bench."),
        "console": ("console", "Open a console of a bench: a terminal, or a pipe for scripts."),
        "power": ("power", "Switch a bench's power by hand, or measure it."),
        "benches": ("benches", "List who has which bench, and who waits for it."),
        "reserve": ("reserve", "Keep a bench for yourself for some time."),
        "release": ("release", "Give a bench back, or take it away from somebody by force."),
        "forward": ("forward", "Reach ports of a bench's host from here."),
        "quarantine": ("quarantine", "Keep everybody from taking a bench until that is cleared."),
        "doctor": ("doctor", "Look what is wrong with hosts and benches, and what to do."),
        "replay": ("replay", "Judge a recorded run again, without hardware."),
        "report": ("report", "Make the reports of a run again from its events."),
        "completion": ("completion", "Print the shell's completion script."),
        "version": ("version", "Print the version."),
    }
)
"""Command → (file in this folder, one line of help); nothing is imported for the list."""

ALIASES = MappingProxyType({"run": "play", "test": "play", "playbook": "play", "docs": "doc", "ls": "list"})


class Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of a command; name the nearest one for a wrong word."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"runner.cli.{COMMANDS[cmd_name][0]}")
            command: click.Command = module.command
            return command
        from runner.errors import did_you_mean

        near = ALIASES.get(cmd_name)
        hint = f"did you mean {near!r}?" if near else did_you_mean(cmd_name, COMMANDS)
        raise click.UsageError(f"no command {cmd_name!r}" + (f": {hint}" if hint else ""), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_file, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def command() -> None:
    """Play recipes on hardware benches.

    \b
    Examples:
      runner play recipes/quickstart.yaml
      runner check recipes/*.yaml
      runner doc uboot_cmd
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        result = command.main(args=arguments, prog_name="runner", standalone_mode=False)
    except click.exceptions.Exit as error:
        return int(error.exit_code)
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - the edge of the program: every error gets its words here
        from runner.cli.failure import explain

        return explain(error)
    return result if isinstance(result, int) else 0


def script() -> None:
    """Run as the installed command."""
    sys.exit(main())
