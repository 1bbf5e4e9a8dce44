"""The README and the other documents: their recipes are right, and the commands they show exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.command import runner
from support.peers import ROOT

from runner.cli.main import command

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts),
    *sorted((ROOT / "recipes").glob("*.yaml")),
]
TYPED = re.compile(r"`(runner [^`\n]+)`|^(?:\$ |.*?/bin/|[#] .*: )(runner [^\n]+)$", re.MULTILINE)
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(path: Path) -> Iterator[str]:
    """Return each command line with `runner` that a document shows."""
    for match in TYPED.finditer(path.read_text(encoding="utf-8")):
        yield match[1] or match[2]


LINES = sorted({(path.relative_to(ROOT).as_posix(), line) for path in DOCUMENTS for line in typed(path)})


def test_commands_are_found_in_the_documents() -> None:
    assert len(LINES) > 15
    assert ("README.md", "runner play recipe.yaml") in LINES
    assert ("README.md", "runner play recipes/quickstart.yaml") in LINES


@pytest.mark.parametrize(("document", "line"), LINES)
def test_a_command_that_a_document_shows_exists_with_its_options(document: str, line: str) -> None:
    """Parse it and run nothing; `…` and words in capitals stand for what the reader fills in."""
    words = shlex.split(line, comments=True)[1:]
    group: click.Command = command
    context = click.Context(command, info_name="runner")
    while isinstance(group, click.Group):
        name = words.pop(0)
        found = group.get_command(context, name)
        assert found is not None, f"{document}: {line}"
        group = found
        context = click.Context(group, parent=context, info_name=name)

    parser = group.make_parser(context)
    parser.parse_args(args=words)


@pytest.mark.parametrize("block", BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
def test_a_recipe_of_the_readme_passes_on_the_simulated_board(block: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(block, encoding="utf-8")
    checked = runner(tmp_path, "check", "recipe.yaml")
    played = runner(tmp_path, "play", "recipe.yaml")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert played.returncode == 0, played.stdout


def test_every_path_that_the_readme_links_to_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = [each for each in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in each]

    assert len(linked) > 5
    assert [each for each in linked if not (ROOT / each).exists()] == []


def test_every_document_is_linked_from_the_first_one() -> None:
    documents = ROOT / "docs"
    linked = (documents / "README.md").read_text(encoding="utf-8")
    others = {str(each.relative_to(documents)) for each in documents.rglob("*.md")} - {"README.md"}

    assert [each for each in sorted(others) if f"({each})" not in linked and "decisions" not in each] == []
