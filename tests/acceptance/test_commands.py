"""The command as a person types it."""

import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.command import LIMIT, interrupt, runner, started, wait_until
from support.peers import ROOT

GOOD = (
    "tests:\n  - test: adds up\n    tags: [fast]\n    steps:\n      - set: {a: 1}\n      - assert: a == 1\n"
)
BAD = "tests:\n  - test: adds up\n    steps:\n      - assert: 1 == 2\n  - test: fine\n    steps:\n      - log: ok\n"
HEAVY = {
    "paramiko",
    "jinja2",
    "jsonschema",
    "can",
    "serial",
    "pysnmp",
    "paho",
    "usb",
    "pexpect",
    "opendal",
    "rich",
    "yaml",
}


def recipe(folder: Path, text: str, name: str = "recipe.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_version_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys; from runner.cli.main import main; main(['version']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    imported = {name.partition(".")[0] for name in done.stderr.split()}
    ours = {name for name in done.stderr.split() if name.startswith("runner")}
    assert done.stdout.startswith("runner 0.")
    assert not imported & HEAVY
    assert ours == {"runner", "runner.cli", "runner.cli.main", "runner.cli.version"}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("play", "--help"), ("list", "-h"), ("inventory", "--help")]
)
def test_help_is_there_and_shows_examples(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = runner(tmp_path, *arguments)

    assert done.returncode == 0
    assert "Usage: runner" in done.stdout


def test_an_unknown_command_gets_a_suggestion(tmp_path: Path) -> None:
    done = runner(tmp_path, "chekc")

    assert done.returncode == 2
    assert "no command 'chekc': did you mean 'check'?" in done.stderr


def test_a_good_run_ends_with_0_and_leaves_its_folder(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, GOOD), "--junit", "report.xml")

    assert (done.returncode, done.stderr) == (0, "")
    assert "passed    recipe::adds up@sim" in done.stdout
    folder = tmp_path / "results" / "latest"
    assert {"events.jsonl", "results.json", "junit.xml", "report.html"} <= {
        each.name for each in folder.iterdir()
    }
    assert ET.parse(tmp_path / "report.xml").getroot().get("tests") == "1"
    assert json.loads((folder / "results.json").read_text(encoding="utf-8"))["exit_code"] == 0


def test_a_failed_case_ends_with_1_and_says_why_and_where(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, BAD))

    assert done.returncode == 1
    assert "expected 1 == 2" in done.stdout
    assert "at recipe.yaml:4:9" in done.stdout
    assert "exit code 1: a case failed" in done.stdout


def test_a_wrong_recipe_is_told_in_one_pass_and_no_device_is_opened(tmp_path: Path) -> None:
    inventory = "benches:\n  b:\n    devices:\n      power: {driver: mock, record: opened.txt}\n"
    text = (
        "tests:\n"
        "  - test: x\n"
        "    steps:\n"
        "      - power_on:\n"
        "      - power_onn:\n"
        "      - power_cycle: {off_tiem: 2s}\n"
        "      - wait: yesterday\n"
        "      - log: '{{ nobody }}'\n"
        "        wen: true\n"
        "      - power_off: {device: pdu}\n"
    )
    done = runner(tmp_path, "play", recipe(tmp_path, text), "-i", recipe(tmp_path, inventory, "lab.yaml"))

    assert done.returncode == 2
    assert not (tmp_path / "opened.txt").exists()
    assert not (tmp_path / "results").exists()
    for said in (
        "recipe.yaml:5:9: error[E201]: no module 'power_onn'",
        "recipe.yaml:6:23: error[E231]: power_cycle has no argument 'off_tiem'",
        "^^^^^^^^ did you mean 'off_time'?",
        "recipe.yaml:7:15: error[E234]",
        "'nobody'",
        "recipe.yaml:9:9",
        "'pdu'",
    ):
        assert said in done.stderr, said
    assert "Traceback" not in done.stderr


def test_the_mock_does_record_being_opened(tmp_path: Path) -> None:
    inventory = (
        f"benches:\n  b:\n    devices:\n      power: {{driver: mock, record: {tmp_path}/opened.txt}}\n"
    )
    done = runner(
        tmp_path,
        "play",
        recipe(tmp_path, "steps: [{power_on: }]\n"),
        "-i",
        recipe(tmp_path, inventory, "lab.yaml"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "opened.txt").exists()


def test_faults_come_as_json_for_tools(tmp_path: Path) -> None:
    done = runner(
        tmp_path, "check", recipe(tmp_path, "tests: [{test: x, steps: [{comand: ls}]}]\n"), "-o", "json"
    )

    fault = json.loads(done.stdout)["faults"][0]
    assert done.returncode == 2
    assert (fault["code"], fault["line"], fault["hint"]) == ("E201", 1, "did you mean 'command'?")


def test_check_says_what_would_run(tmp_path: Path) -> None:
    done = runner(tmp_path, "check", recipe(tmp_path, GOOD))

    assert (done.returncode, done.stdout) == (0, "recipe.yaml (recipe): fine: 1 test, 1 case on sim\n")


def test_plan_prints_the_cases_and_runs_none(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, BAD), "--plan")

    assert (done.returncode, done.stdout) == (0, "recipe::adds up@sim\nrecipe::fine@sim\n")


def test_events_come_as_json_lines(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, GOOD), "-o", "json")

    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events[0] == "run_started"
    assert events[-1] == "run_finished"


def test_only_the_failed_cases_are_played_again(tmp_path: Path) -> None:
    name = recipe(tmp_path, BAD)
    runner(tmp_path, "play", name)
    done = runner(tmp_path, "play", name, "--rerun-failed", "--plan")

    assert done.stdout == "recipe::adds up@sim\n"


def test_a_run_that_was_never_made_cannot_be_rerun(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, GOOD), "--rerun-failed", "nope")

    assert done.returncode == 2
    assert "no run 'nope'" in done.stderr


def test_no_case_left_is_an_error_unless_it_is_allowed(tmp_path: Path) -> None:
    name = recipe(tmp_path, GOOD)

    assert runner(tmp_path, "play", name, "-k", "nothing").returncode == 2
    assert runner(tmp_path, "play", name, "-k", "nothing", "--allow-empty").returncode == 0


@pytest.mark.parametrize(
    "option", [("--shard", "4/3"), ("--wait", "soon"), ("--repeat", "0"), ("-e", "novalue"), ("--bogus",)]
)
def test_a_wrong_option_ends_with_2(tmp_path: Path, option: tuple[str, ...]) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, GOOD), *option)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_unknown_extra_variable_is_an_error(tmp_path: Path) -> None:
    text = "params: {image: {type: str, default: x}}\n" + GOOD
    done = runner(tmp_path, "play", recipe(tmp_path, text), "-e", "imgae=y")

    assert done.returncode == 2
    assert "did you mean 'image'?" in done.stderr


def test_step_needs_a_person(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, GOOD), "--step")

    assert done.returncode == 2
    assert "there is none here" in done.stderr


def test_an_interrupted_run_cleans_up_and_ends_with_130(tmp_path: Path) -> None:
    text = "teardown: [{log: cleaned}]\ntests: [{test: x, steps: [{wait: 1h, timeout: 2h}]}, {test: y, steps: [{log: z}]}]\n"
    process = started(tmp_path, "play", recipe(tmp_path, text))
    events = tmp_path / "results" / "latest" / "events.jsonl"
    wait_until(
        lambda: events.exists() and "step_started" in events.read_text(encoding="utf-8"), "the first step"
    )
    interrupt(process)
    out, err = process.communicate(timeout=LIMIT)

    assert process.returncode == 130
    assert "cleaning up" in err
    assert "cleaned" in out
    assert "cancelled recipe::y@sim" in out
    assert ET.parse(tmp_path / "results" / "latest" / "junit.xml").getroot().get("errors") == "2"


def test_a_terminated_run_ends_with_143(tmp_path: Path) -> None:
    process = started(tmp_path, "play", recipe(tmp_path, "steps: [{wait: 1h, timeout: 2h}]\n"))
    events = tmp_path / "results" / "latest" / "events.jsonl"
    wait_until(
        lambda: events.exists() and "step_started" in events.read_text(encoding="utf-8"), "the first step"
    )
    interrupt(process, signal.SIGTERM)
    process.communicate(timeout=LIMIT)

    assert process.returncode == 143


def test_under_nohup_the_end_of_the_terminal_does_not_interrupt_a_run(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = started(tmp_path, "play", recipe(tmp_path, "steps: [{wait: 1h, timeout: 2h}]\n"))
    finally:
        signal.signal(signal.SIGHUP, before)
    events = tmp_path / "results" / "latest" / "events.jsonl"
    wait_until(
        lambda: events.exists() and "step_started" in events.read_text(encoding="utf-8"), "the first step"
    )
    interrupt(process, signal.SIGHUP)
    interrupt(process, signal.SIGTERM)
    _, err = process.communicate(timeout=LIMIT)

    assert process.returncode == 143
    assert "SIGHUP" not in err


def test_a_second_signal_ends_clean_up(tmp_path: Path) -> None:
    text = "teardown: [{wait: 1h, timeout: 2h}]\nsteps: [{wait: 1h, timeout: 2h}]\n"
    process = started(tmp_path, "play", recipe(tmp_path, text))
    events = tmp_path / "results" / "latest" / "events.jsonl"
    wait_until(
        lambda: events.exists() and "step_started" in events.read_text(encoding="utf-8"), "the first step"
    )
    interrupt(process)
    wait_until(lambda: '"phase":"teardown"' in events.read_text(encoding="utf-8"), "the teardown")
    interrupt(process)
    process.communicate(timeout=LIMIT)

    assert process.returncode == 130


def test_the_reports_can_be_made_again(tmp_path: Path) -> None:
    runner(tmp_path, "play", recipe(tmp_path, BAD))
    folder = tmp_path / "results" / "latest"
    before = (folder / "junit.xml").read_bytes()
    (folder / "junit.xml").unlink()
    done = runner(tmp_path, "report")

    assert done.returncode == 0
    assert (folder / "junit.xml").read_bytes() == before


@pytest.mark.parametrize("kind", ["tests", "steps", "tags", "benches", "modules", "drivers"])
@pytest.mark.parametrize("output", ["table", "json", "yaml", "name"])
def test_everything_can_be_listed_in_every_form(tmp_path: Path, kind: str, output: str) -> None:
    name = recipe(tmp_path, GOOD)
    done = runner(
        tmp_path, "list", kind, *([name] if kind in {"tests", "steps", "tags"} else []), "-o", output
    )

    assert (done.returncode, done.stderr) == (0, "")
    expected = {
        "tests": "adds up",
        "steps": "assert",
        "tags": "fast",
        "benches": "sim",
        "modules": "power_cycle",
        "drivers": "qemu",
    }
    assert expected[kind] in done.stdout
    if output == "json":
        assert isinstance(json.loads(done.stdout), list)


@pytest.mark.parametrize("name", ["power_cycle", "sim", "E231", "command"])
def test_modules_drivers_and_codes_are_explained(tmp_path: Path, name: str) -> None:
    done = runner(tmp_path, "doc", name)

    assert done.returncode == 0
    assert name in done.stdout


def test_an_unknown_name_to_explain_gets_a_suggestion(tmp_path: Path) -> None:
    done = runner(tmp_path, "doc", "power_cylce")

    assert done.returncode == 2
    assert "did you mean 'power_cycle'?" in done.stderr


def test_the_schema_of_recipes_is_printed(tmp_path: Path) -> None:
    schema = json.loads(runner(tmp_path, "schema", "recipe").stdout)

    assert "power_cycle" in schema["definitions"]["step"]["properties"]


def test_the_inventory_is_shown_as_it_is_understood(tmp_path: Path) -> None:
    lab = "benches:\n  r-[1:3]:\n    labels: {board: rpi4}\n    devices: {power: {driver: mock}, main: {ref: power}}\ngroups:\n  odd: {benches: [r-1, r-3]}\n"
    name = recipe(tmp_path, lab, "lab.yaml")

    shown = json.loads(runner(tmp_path, "inventory", "show", "odd", "-i", name, "-o", "json").stdout)
    assert [row["bench"] for row in shown] == ["r-1", "r-3"]
    graph = runner(tmp_path, "inventory", "graph", "-i", name).stdout
    assert "group odd: r-1, r-3" in graph
    assert "main: → power" in graph


def test_a_variable_is_explained_with_what_it_hides(tmp_path: Path) -> None:
    lab = recipe(
        tmp_path,
        "vars: {image: a}\nbenches:\n  b:\n    vars: {image: c}\n    devices: {power: {driver: mock}}\n",
        "lab.yaml",
    )
    name = recipe(tmp_path, "vars: {image: 'x-{{ bench.name }}'}\n" + GOOD)
    done = runner(tmp_path, "explain", "image", name, "-i", lab)

    lines = done.stdout.splitlines()
    assert lines[0] == "b: image = 'x-b'"
    assert lines[1].startswith("  from play vars: 'x-{{ bench.name }}'  (recipe.yaml:1:")
    assert lines[2].startswith("  hides bench b: 'c'  (lab.yaml:")
    assert lines[3].startswith("  hides inventory vars: 'a'  (lab.yaml:")


def test_one_module_can_be_run_by_hand(tmp_path: Path) -> None:
    done = runner(tmp_path, "do", "sim", "command", "echo hello")

    assert done.returncode == 0, done.stderr
    assert "passed" in done.stdout
    assert not list(tmp_path.glob(".do-*"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(tmp_path: Path, shell: str) -> None:
    done = runner(tmp_path, "completion", shell)

    assert done.returncode == 0
    assert "_RUNNER_COMPLETE" in done.stdout


def test_github_gets_annotations_on_the_lines_of_the_recipe(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", recipe(tmp_path, BAD), GITHUB_ACTIONS="true")

    assert "::error file=recipe.yaml,line=4,col=" in done.stdout


def test_a_user_module_beside_the_recipe_is_found(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "greet.py").write_text(
        '"""Greets."""\n\nfrom runner.api import Context, Module, Result, arg\n\n\n'
        'class Greeting(Result):\n    """What was said."""\n\n    text: str\n\n\n'
        'class Greet(Module):\n    """Say hello to somebody."""\n\n    name: str = arg(primary=True, help="to whom")\n\n'
        "    def run(self, context: Context) -> Greeting:\n"
        '        print("stray")\n        return Greeting(text=f"hello {self.name}")\n',
        encoding="utf-8",
    )
    text = "steps:\n  - greet: bench\n    expect: result.text == 'hello bench'\n"
    done = runner(tmp_path, "play", recipe(tmp_path, text))

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_inventory_is_found_from_the_recipe_upward(tmp_path: Path) -> None:
    done = runner(tmp_path, "list", "benches", str(ROOT / "recipes" / "quickstart.yaml"), "-o", "name")

    assert done.returncode == 0
    assert len(done.stdout.split()) > 1
