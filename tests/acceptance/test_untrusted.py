"""Recipes of strangers: what --untrusted stops, before anything runs."""

import json
from pathlib import Path

import pytest
from support.command import runner
from support.peers import ROOT

MODULE = "import pathlib\n\npathlib.Path({evidence!r}).touch()\n\nfrom runner.api import Module\n\n\nclass Hello(Module):\n    '''Say hello.'''\n\n    def run(self, context):\n        '''Say it.'''\n"
LAB = """
benches:
  sim:
    labels: {board: sim}
    vars:
      root_pw: !secret hunter2
      url: "http://me:{{ root_pw }}@host"
      keys: {a: [!secret hunter3]}
      fine: text
    devices:
      board: {driver: sim}
"""
HOSTILE = {
    "a command": ("E602", "3:14", "tests:\n  - test: t\n    steps: [{command: id}]\n", "command can do whatever"),
    "a command in a block": ("E602", "3:7", "steps:\n  - block:\n    - command: id\n", "command can do"),
    "a command that is deferred": ("E602", "4:5", "steps:\n  - log: x\nteardown:\n  - command: id\n", "command can do"),
    "a command in an action": ("E602", "4:9", "import: [lib.yaml]\nsteps:\n  - act:\n", "command can do"),
    "a file to the host": ("E602", "2:5", "steps:\n  - push_file: {file: own.txt, to: ~/.bashrc}\n", "push_file can do"),
    "a file from the host": ("E602", "2:5", "steps:\n  - fetch_file: ~/.ssh/id_ed25519\n", "fetch_file can do"),
    "a URL": ("E604", "2:20", "steps:\n  - flash: {image: 'http://169.254.169.254/'}\n", "http://169.254.169.254/ is not"),
    "a forward": ("E602", "2:5", "steps:\n  - port_forward: 22\n", "port_forward can do"),
    "the environment": ("E603", "2:10", "steps:\n  - log: !env HOME\n", "!env asks for $HOME"),
    "an optional environment": ("E603", "2:10", "steps:\n  - log: !env {name: HOME, default: x}\n", "$HOME"),
    "a secret environment": ("E603", "2:10", "steps:\n  - log: !secret {env: HOME}\n", "$HOME"),
    "a param from the environment": ("E603", "2:3", "params:\n  p: {type: str, env: HOME}\nsteps:\n  - log: x\n", "param 'p' asks for $HOME"),
    "a file": ("E604", "2:10", "steps:\n  - log: !file /etc/passwd\n", "/etc/passwd is not in the recipe's folder"),
    "a file above": ("E604", "2:10", "steps:\n  - log: !file ../outside.txt\n", "../outside.txt is not"),
    "a file behind a link": ("E604", "2:10", "steps:\n  - log: !file link.txt\n", "link.txt is not"),
    "a secret file": ("E604", "2:10", "steps:\n  - log: !secret {file: ~/.ssh/id_rsa}\n", "id_rsa is not"),
    "an import": ("E604", "1:10", "import: [../outside.yaml]\nsteps:\n  - log: x\n", "../outside.yaml is not"),
    "a file of variables": ("E604", "1:14", "vars_files: [/etc/hostname]\nsteps:\n  - log: x\n", "/etc/hostname is not"),
    "a file of an argument": ("E604", "2:20", "steps:\n  - flash: {image: /etc/passwd}\n", "/etc/passwd is not"),
    "a folder of code": ("E601", "1:10", "import: [code]\nsteps:\n  - log: x\n", "the folder 'code' holds modules"),
    "a secret of the inventory": ("E605", "2:14", "steps:\n  - log: '{{ root_pw }}'\n", "'root_pw' is a secret of the inventory"),
    "a secret inside": ("E605", "2:14", "steps:\n  - log: '{{ keys.a[0] }}'\n", "'keys' is a secret of the inventory"),
    "what is made of a secret": ("E605", "", "steps:\n  - log: '{{ url }}'\n", "'root_pw' is a secret of the inventory"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stranger's folder with everything bad in it but a modules/ folder, and our lab beside it."""
    evil = tmp_path / "evil"
    (evil / "code").mkdir(parents=True)
    (evil / "inventory").mkdir()
    (evil / "code" / "hello.py").write_text(MODULE.format(evidence=str(tmp_path / "evidence")))
    program = evil / "inventory" / "lab"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/evidence\necho '{{}}'\n")
    program.chmod(0o755)
    (evil / "lib.yaml").write_text("actions:\n  act:\n    steps:\n      - command: id\n")
    (evil / "link.txt").symlink_to(tmp_path / "outside.txt")
    (evil / "own.txt").write_text("own text\n")
    (tmp_path / "outside.txt").write_text("hunter1\n")
    (tmp_path / "outside.yaml").write_text("actions: {}\n")
    (tmp_path / "lab.yaml").write_text(LAB)
    return evil


def test_hostile_recipes_are_refused_with_code_and_place_before_anything_runs(folder: Path) -> None:
    files = {f"{number:02}.yaml": name for number, name in enumerate(HOSTILE)}
    for file, name in files.items():
        (folder / file).write_text(HOSTILE[name][2])
    done = runner(folder, "check", *files, "--untrusted", "-i", "../lab.yaml", "-o", "json")
    faults = json.loads(done.stdout)["faults"]

    assert done.returncode == 2
    found = {
        (each["path"], f"{each['line']}:{each['column']}", each["code"]): each["message"] for each in faults
    }
    for file, name in files.items():
        code, place, _text, said = HOSTILE[name]
        where = (file if "in an action" not in name else "lib.yaml", place, code)
        if name == "what is made of a secret":
            where = ("../lab.yaml", "7:26", code)
        assert said in found.get(where, ""), f"{name}: {where} in {found}"
    assert "hunter" not in done.stdout + done.stderr
    assert not (folder.parent / "evidence").exists()


def test_code_beside_the_recipe_is_not_even_imported(folder: Path) -> None:
    (folder / "code").rename(folder / "modules")
    (folder / "recipe.yaml").write_text("steps:\n  - hello:\n")
    done = runner(folder, "play", "recipe.yaml", "--untrusted")

    assert done.returncode == 2
    assert "recipe.yaml:1:1: error[E601]: the folder modules/ beside the recipe holds modules" in done.stderr
    assert "error[E201]: no module 'hello'" in done.stderr
    assert not (folder.parent / "evidence").exists()


def test_what_a_template_makes_of_a_path_is_refused_when_the_step_comes(folder: Path) -> None:
    text = "params: {image: {type: path, default: own.txt}}\nsteps:\n  - flash: {image: '{{ image }}'}\n"
    (folder / "recipe.yaml").write_text(text)
    (folder.parent / "mine.img").write_bytes(bytes(4096))
    own = runner(folder, "play", "recipe.yaml", "--untrusted")
    named = runner(folder, "play", "recipe.yaml", "--untrusted", "-e", "image=../mine.img")
    (folder / "recipe.yaml").write_text(text.replace("own.txt", "/etc/passwd"))
    stolen = runner(folder, "play", "recipe.yaml", "--untrusted")

    assert (own.returncode, named.returncode) == (0, 0), own.stdout + named.stdout
    assert stolen.returncode == 3
    assert "/etc/passwd is not in the recipe's folder, and the recipe is not trusted (E604)" in stolen.stdout


def test_a_replay_trusts_a_recipe_no_more_than_its_run_did(folder: Path) -> None:
    (folder / "recipe.yaml").write_text("steps:\n  - power_on:\n")
    played = runner(folder, "play", "recipe.yaml", "--untrusted")
    (folder / "code").rename(folder / "modules")
    (folder / "recipe.yaml").write_text("steps:\n  - hello:\n")
    replayed = runner(folder, "replay", "latest")

    assert (played.returncode, replayed.returncode) == (0, 2)
    assert "error[E601]" in replayed.stderr
    assert not (folder.parent / "evidence").exists()


def test_a_harmless_recipe_plays_on_the_simulated_bench_or_the_one_that_is_named(folder: Path) -> None:
    (folder / "recipe.yaml").write_text("steps:\n  - log: !file own.txt\n  - power_on:\n")
    alone = runner(folder, "play", "recipe.yaml", "--untrusted")
    named = runner(folder, "play", "recipe.yaml", "--untrusted", "-i", "../lab.yaml")
    quickstart = runner(folder, "play", str(ROOT / "recipes" / "quickstart.yaml"), "--untrusted")

    assert [each.returncode for each in (alone, named, quickstart)] == [0, 0, 0], alone.stdout + named.stdout
    assert not (folder.parent / "evidence").exists()
