"""A virtual device of Corellium as a person uses it: a recipe that plays, and what is said of what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import runner
from support.corellium import TOKEN, Corellium, served
from support.reports import Report
from support.ssh_lab import inventory
from support.ssh_server import ssh_server

pytestmark = pytest.mark.peer("bash")

RECIPE = """
name: A night on a virtual device
benches: cloud
steps:
  - vm: running
    expect: [result.created, result.polls > 0]
  - console_login: {user: root, password: !env BOARD_PASSWORD}
  - console_cmd: echo $((6 * 7)) on $(tty)
    expect: ["'42 on /dev/' in result.output"]
  - console_url:
    register: uart
    expect: result.console_id == 'port-1-cons'
  - log: "the console is at {{ uart.url }}"
  - assert: "'token=once-' in uart.url"
  - vm_info:
    expect: [result.status == 'on', result.project == 'Default Project']
  - power_cycle: {off_time: 10ms}
    expect: result.verified == 'state and console'
  - console_login: {user: root, password: !env BOARD_PASSWORD}
  - console_cmd: echo $((6 * 8))
    expect: "result.output == '48'"
  - power_off:
    expect: [result.previous == 'on', result.state == 'off']
  - vm: absent
    expect: result.destroyed
"""
PASSWORD = "hunter22"
DEVICE = {
    "driver": "corellium",
    "name": "nightly",
    "model": "imx8mp-evk",
    "os": "1.1.1",
    "console_name": "Primary Compute Non-Secure",
    "poll_interval": "10ms",
}


@pytest.fixture
def api() -> Iterator[Corellium]:
    with served(Corellium(login=True)) as made:
        yield made


def benches(served_api: Corellium, **options: object) -> str:
    """Return an inventory whose bench has the device, with the token from the environment."""
    device = json.dumps({**DEVICE, "api": served_api.url, **options})
    return f"benches:\n  cloud:\n    devices:\n      board: {device[:-1]}, token: !env CLOUD_TOKEN}}\n"


def played(
    folder: Path, lab: str, *more: str, token: str = TOKEN, recipe: str = RECIPE
) -> subprocess.CompletedProcess[str]:
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (folder / "lab.yaml").write_text(lab, encoding="utf-8")
    arguments = ("play", "recipe.yaml", "-i", "lab.yaml", *more)
    done = runner(folder, *arguments, CLOUD_TOKEN=token, BOARD_PASSWORD=PASSWORD)
    told = done.stdout + done.stderr + kept(folder)
    assert token not in told
    assert PASSWORD not in told
    assert not re.search(r"once-[0-9a-f]{8}", told)
    return done


def kept(folder: Path) -> str:
    """Return everything that the run has written."""
    files = (each for each in folder.glob("results/**/*") if each.is_file())
    return "".join(each.read_text(encoding="utf-8", errors="replace") for each in files)


def test_a_device_is_made_logged_in_to_switched_and_deleted(api: Corellium, tmp_path: Path) -> None:
    done = played(tmp_path, benches(api))

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "the console is at ******" in done.stdout
    assert [line.split()[0] for line in api.lines] == ["POST", "PUT", "PUT", "PUT", "DELETE"]
    assert api.instances == {}


def test_in_check_mode_only_questions_are_asked(api: Corellium, tmp_path: Path) -> None:
    recipe = "".join(RECIPE.partition("  - vm_info:")[::2]).replace("    expect: [result.status", "    # ")
    done = played(tmp_path, benches(api), "--check", recipe=recipe)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "would make the machine running: it is absent" in done.stdout
    assert "would ask for the URL of its console: the machine is absent" in done.stdout
    assert {each.method for each in api.asked} == {"GET"}


def test_what_is_misspelt_is_told_with_what_there_is(api: Corellium, tmp_path: Path) -> None:
    done = played(tmp_path, benches(api, model="imx8mp-evc"))

    assert done.returncode == 3
    assert f"no model 'imx8mp-evc' at {api.url}/api: there is 'imx8mp-evk', 'rpi4b'" in done.stdout
    assert "did you mean 'imx8mp-evk'?" in done.stdout
    assert played(tmp_path, benches(api), token="guessed").returncode == 3
    assert api.lines == []


def test_options_that_cannot_be_right_are_told_with_their_line_before_the_run(
    api: Corellium, tmp_path: Path
) -> None:
    done = played(tmp_path, benches(api, api="http://lab.example", os=""))

    assert done.returncode == 2
    assert "lab.yaml:4:" in done.stderr
    assert "'http://lab.example' is not encrypted, and the token would be readable on its way" in done.stderr
    assert "a device is made with a firmware" in done.stderr
    assert api.asked == []


def test_a_device_whose_console_is_refused_is_not_switched_on(api: Corellium, tmp_path: Path) -> None:
    api.add("nightly", "on")
    api.consoles.refuses = True
    done = played(tmp_path, benches(api), recipe="{benches: cloud, steps: [{power_cycle: }]}")

    assert done.returncode == 3
    assert "    console 'port-1-cons' at ws://" in done.stdout
    assert api.lines == []


@pytest.mark.parametrize(
    ("step", "asked"), [("power_off: ", "PUT"), ("vm: stopped", "POST"), ("vm: absent", "PUT DELETE")]
)
def test_a_device_whose_console_is_refused_can_be_switched_off_and_deleted(
    api: Corellium, tmp_path: Path, step: str, asked: str
) -> None:
    api.add("nightly", "on")
    api.consoles.refuses = True
    done = played(tmp_path, benches(api), recipe=f"{{benches: cloud, steps: [{{{step}}}]}}")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.count("board.console is not listened to: console 'port-1-cons' at ws://") == 1
    assert [line.split()[0] for line in api.lines] == asked.split()


@pytest.mark.peer("sshd")
def test_it_is_used_from_a_host_of_the_lab_that_has_none_of_its_libraries(
    api: Corellium, tmp_path: Path
) -> None:
    device = {**DEVICE, "api": api.url, "token": TOKEN}
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    with ssh_server(tmp_path / "shelf1") as server:
        bench = {"host": "shelf1", "devices": {"board": device}}
        lab = inventory(tmp_path, {"shelf1": server.options()}, {"cloud": bench})
        done = runner(tmp_path, "play", "recipe.yaml", "-i", lab, BOARD_PASSWORD=PASSWORD)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "bench cloud on shelf1" in done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    assert [line.split()[0] for line in api.lines] == ["POST", "PUT", "PUT", "PUT", "DELETE"]
