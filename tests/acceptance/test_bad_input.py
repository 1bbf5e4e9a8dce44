"""Bad input: told in one pass with file, line, column and caret; exit code 2; and no device was opened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.command import runner

DRIVER = '''"""A supply that writes down that it was opened."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.api import Driver, Misfit, Power, PowerState, arg


class Witness(Driver, Power):
    """A supply that writes down that it was opened."""

    diary: str = arg(help="the file")
    outlet: int = arg(default=1, help="which outlet")
    outlets: int = arg(default=8, help="how many it has")

    @classmethod
    def misfits(cls, given: Mapping[str, object]) -> Iterable[Misfit]:
        """Say that there is no such outlet."""
        if {"outlet", "outlets"} <= set(given) and given["outlet"] > given["outlets"]:
            yield Misfit("outlet", "there is no such outlet")

    def open(self) -> None:
        """Write it down."""
        Path(self.diary).write_text("opened", encoding="utf-8")

    def close(self) -> None:
        """Nothing to do."""

    def on(self) -> None:
        """Nothing to do."""

    def off(self) -> None:
        """Nothing to do."""

    def state(self) -> PowerState:
        """Return that it is on."""
        return "on"
'''
FINE = "tests:\n  - test: first\n    steps:\n      - power_on:\n      - log: hello\n"


def play(folder: Path, recipe: str, *, lab: str = "", more: tuple[str, ...] = ()) -> tuple[int, str]:
    (folder / "modules").mkdir()
    (folder / "modules" / "witness.py").write_text(DRIVER, encoding="utf-8")
    bench = f"benches:\n  b:\n    devices:\n      power: {{driver: witness, diary: {folder}/opened}}\n"
    (folder / "lab.yaml").write_text(lab or bench, encoding="utf-8")
    (folder / "r.yaml").write_text(recipe, encoding="utf-8")
    done = runner(folder, "play", "r.yaml", "-i", "lab.yaml", *more)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_the_witness_does_write_down_that_it_was_opened(tmp_path: Path) -> None:
    code, said = play(tmp_path, FINE)

    assert (code, said) == (0, "")
    assert (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("last", "at", "said"),
    [
        pytest.param("      - log: [a\n", "6:14", "close it with ]", id="wrong YAML"),
        pytest.param("      - log: {{ run.id }}\n", "6:14", "quote it", id="a template without quotes"),
        pytest.param("      - log: x\n        wen: true\n", "7:9", "did you mean 'when'?", id="unknown key"),
        pytest.param("      - lgo: x\n", "6:9", "did you mean 'log'?", id="unknown module"),
        pytest.param(
            "      - power_cycle: {off_tiem: 2s}\n", "6:23", "did you mean 'off_time'?", id="unknown argument"
        ),
        pytest.param(
            "      - power_on: {device: pwoer}\n", "6:28", "did you mean 'power'?", id="unknown device"
        ),
        pytest.param("      - uboot_cmd: help\n", "6:9", "Console", id="a device that the bench lacks"),
        pytest.param("      - log: '{{ hello }}'\n", "6:18", "'hello'", id="undefined variable"),
        pytest.param("      - assert: run.idd == 1\n", "6:21", "'idd'", id="unknown field"),
        pytest.param("      - power_cycle: {off_time: soon}\n", "6:33", "duration", id="wrong type"),
        pytest.param("      - wait: yes\n", "6:15", "duration", id="wrong scalar"),
        pytest.param("      - log: !file nosuch.txt\n", "6:14", "nosuch.txt", id="missing file of a tag"),
        pytest.param(
            "      - log: !env NO_SUCH_NAME\n", "6:14", "NO_SUCH_NAME", id="missing variable of a tag"
        ),
        pytest.param("      - log: !python x\n", "6:14", "!python", id="unknown tag"),
        pytest.param("      - log: x\n        log: y\n", "7:9", "", id="a key twice"),
        pytest.param("      - log: x\n        when: 'a b'\n", "7:", "", id="broken expression"),
        pytest.param(
            "      - log: x\n        when: '{{ true }}'\n",
            "7:15",
            "write when: true",
            id="braces in an expression",
        ),
    ],
)
def test_a_fault_in_the_last_step_is_told_before_the_first_one(
    tmp_path: Path, last: str, at: str, said: str
) -> None:
    code, error = play(tmp_path, FINE + last)

    assert code == 2, error
    assert re.search(rf"^r\.yaml:{at}.*error\[E\d+\]: ", error, re.MULTILINE), error
    assert "^" in error
    assert said in error
    assert not (tmp_path / "opened").exists()
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("before", "at", "said"),
    [
        pytest.param("import: [lib/nosuch.yaml]\n", "r.yaml:1:10", "nosuch.yaml", id="missing import"),
        pytest.param("vars_files: [nosuch.yaml]\n", "r.yaml:1:14", "nosuch.yaml", id="missing vars file"),
        pytest.param("benches: nosuch\n", "r.yaml:1:10", "nosuch", id="unknown bench"),
        pytest.param(
            "params: {image: {type: path, required: true}}\n", "r.yaml:1:10", "-e image=", id="no value"
        ),
        pytest.param(
            "params: {image: {type: path, default: nosuch.img}}\n",
            "r.yaml:1:39",
            "nosuch.img",
            id="missing default file",
        ),
        pytest.param("hosts: all\n", "r.yaml:1:1", "benches", id="a word of Ansible"),
    ],
)
def test_a_fault_of_the_play_is_told_with_its_place(tmp_path: Path, before: str, at: str, said: str) -> None:
    code, error = play(tmp_path, before + FINE)

    assert code == 2, error
    assert f"{at}: error[" in error
    assert said in error
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("device", "at", "said"),
    [
        ("{driver: wittness, diary: x}", "lab.yaml:4:23", "did you mean 'witness'?"),
        ("{driver: witness, dairy: x}", "lab.yaml:4:32", "did you mean 'diary'?"),
        ("{driver: witness, diary: opened, outlet: two}", "lab.yaml:4:55", "outlet: expected a whole number"),
        ("{driver: witness}", "lab.yaml:4:", "diary"),
        ("{driver: witness, diary: opened, outlet: 9}", "lab.yaml:4:55", "there is no such outlet"),
        (
            "{driver: witness, diary: opened, outlet: '{{ bench.index + 9 }}'}",
            "lab.yaml:4:55",
            "there is no such outlet",
        ),
        ("{ref: nothing}", "lab.yaml:4:20", "'nothing'"),
    ],
)
def test_a_fault_of_the_inventory_is_told_with_its_place(
    tmp_path: Path, device: str, at: str, said: str
) -> None:
    code, error = play(tmp_path, FINE, lab=f"benches:\n  b:\n    devices:\n      power: {device}\n")

    assert code == 2, error
    assert at in error
    assert said in error
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-e", "nosuch=1"), "nosuch"),
        (("-l", "nosuch"), "nosuch"),
        (("--from", "secnd"), "secnd"),
        (("-t", "nosuch"), "no case"),
        (("-e", "@nosuch.yaml"), "nosuch.yaml"),
    ],
)
def test_a_wrong_option_opens_nothing(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    code, error = play(tmp_path, FINE, more=more)

    assert code == 2, error
    assert said in error
    assert not (tmp_path / "opened").exists()


def test_a_recipe_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", "nosuch.yaml")

    assert done.returncode == 2
    assert "nosuch.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_faults_are_told_in_one_pass_and_twenty_at_most(tmp_path: Path) -> None:
    code, error = play(tmp_path, FINE + "".join(f"      - nosuch{each}: x\n" for each in range(30)))

    assert code == 2
    assert error.count("error[E201]") == 20
    assert "10 more" in error
    assert not (tmp_path / "opened").exists()
