"""`runner completion`."""

from __future__ import annotations

import os

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def command(shell: str | None) -> int:
    """Print the completion script of a shell (default: the one in use).

    \b
    Examples:
      runner completion bash > ~/.local/share/bash-completion/completions/runner
      runner completion zsh  > ~/.zfunc/_runner
      runner completion fish > ~/.config/fish/completions/runner.fish
    """
    from click.shell_completion import get_completion_class

    from runner.cli.main import command as top

    name = shell or os.path.basename(os.environ.get("SHELL", "bash"))  # noqa: PTH119 - a program's name
    found = get_completion_class(name)
    if found is None:
        raise click.UsageError(f"no completion for {name!r}: {', '.join(SHELLS)}")
    click.echo(found(top, {}, "runner", "_RUNNER_COMPLETE").source())
    return 0
