"""The verbs of the console on a real Linux behind QEMU's UART: one board, one run, every file of its results."""

import base64
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import runner
from support.peers import GUEST

pytestmark = pytest.mark.peer("guest")

SECRET = "geheim-4711"
CONTENT = random.Random(5).randbytes(4_000)
LAB = f"""
benches:
  linux:
    devices:
      board:
        driver: qemu
        cpu: cortex-a57
        memory: 512MiB
        kernel: {GUEST / "Image"}
        initrd: {GUEST / "initrd.gz"}
        append: console=ttyAMA0
"""
RECIPE = """
timeout: {run: 30m, test: 10m, step: 5m}
setup:
  - power_on:
  - console_login: {user: root, password: toor, within: 4m}
tests:
  - test: a script goes on in one shell and tells each status
    steps:
      - console_script:
          commands:
            - cd /proc
            - {command: test -e nosuch, check: false}
            - pwd
        register: done
        expect:
          - done.commands[1].status == 1 and not done.commands[1].checked
          - done.commands[2].output == '/proc' and done.commands[2].status == 0
          - done.failed == 0
  - test: a script stops at the first that fails
    steps:
      - console_script: ["true", "(exit 3)", "echo never > /tmp/never"]
  - test: a script that keeps going runs them all and fails
    steps:
      - console_script: {commands: ["(exit 3)", "echo there > /tmp/there", "(exit 4)"], keep_going: true}
  - test: what was and was not run
    steps:
      - console_cmd: ls /tmp
        expect: result.output == 'there'
  - test: a dialog
    steps:
      - console_send: {text: "printf 'Token: '; read t; printf 'Sure? '; read s; echo you said $t, $s", enter: true}
      - console_dialog:
          answers:
            - {expect: "Sure\\\\? ", send: "yes"}
            - {expect: "Token: ", send: !secret SECRET}
            - {expect: "Never: ", name: never}
          until: "you said .*"
        register: talked
        expect: talked.unasked | list == ['never'] and talked.answered | length == 2
  - test: a password is changed by a dialog
    steps:
      - console_send: {text: passwd root, enter: true}
      - console_dialog:
          answers: [{expect: "(New|Retype) password: ", send: !secret SECRET, times: 2}]
          until: "password for root changed"
  - test: files both ways
    steps:
      - console_put: {file: sent.bin, to: /tmp/one}
        register: one
      - console_put: {file: sent.bin, to: /tmp/two, method: printf, mode: "600"}
        register: two
      - console_get: {file: /tmp/two, to: back.bin}
        register: back
        expect:
          - one.sha256 == back.sha256 and two.sha256 == back.sha256
          - one.method == 'base64' and two.method == 'printf'
          - one.resent == 0 and back.resent == 0
      - console_put: {file: sent.bin, to: /tmp/three, method: xmodem}
        expect_error: {match: "no rx for the method 'xmodem'"}
  - test: a remark stands where it was made
    steps:
      - console_cmd: echo before
      - console_log: the update is started by hand
        register: remark
        expect: remark.position > 0
      - console_cmd: echo after
  - test: a console that was let go of is there again
    steps:
      - console_close:
        expect: result.was_open
      - console_close:
        expect: not result.was_open
      - console_cmd: echo alive
        expect: result.output == 'alive'
  - test: out and in again with the new password
    steps:
      - console_logout:
        expect: result.shells == 1 and not result.already
      - console_logout:
        expect: result.already
      - console_login: {user: root, password: !secret SECRET, within: 2m}
        expect: not result.already
  - test: down
    steps:
      - console_poweroff:
        expect: result.how == 'power down' and 'Power down' in result.line
      - console_cmd: echo alive
        expect_error: {match: "ended|gone|off"}
teardown:
  - power_off:
""".replace("SECRET", SECRET)


class Ran:
    """A run that has ended."""

    def __init__(self, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.done = done
        self.results = folder / "results" / "latest"
        self.content: dict[str, Any] = json.loads((self.results / "results.json").read_text(encoding="utf-8"))
        self.cases = {case["test"]: case for case in self.content["cases"]}

    def files(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.results.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(self.results)), path.read_bytes()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("linux")
    (folder / "lab.yaml").write_text(LAB, encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "sent.bin").write_bytes(CONTENT)
    return Ran(folder, runner(folder, "play", "recipe.yaml", "-i", "lab.yaml", "--console", CI="true"))


def test_only_what_was_to_fail_has_failed(run: Ran) -> None:
    bad = {
        name: case["problem"]["message"] for name, case in run.cases.items() if case["outcome"] != "passed"
    }

    assert bad == {
        "a script stops at the first that fails": "command 2 of 3 ended with status 3, expected 0: (exit 3); "
        "1 not run",
        "a script that keeps going runs them all and fails": "command 1 of 3 ended with status 3, "
        "expected 0: (exit 3); 1 more failed",
    }, run.done.stdout[-4000:]
    assert run.done.returncode == 1


def test_a_secret_in_an_answer_is_in_no_file_and_on_no_screen(run: Ran) -> None:
    forms = SECRET.encode(), base64.b64encode(SECRET.encode())

    assert [name for name, data in run.files() if any(form in data for form in forms)] == []
    assert SECRET not in run.done.stdout + run.done.stderr
    raw = (run.results / "console" / "linux.board.console.raw").read_bytes()
    assert b"you said " + b"*" * len(SECRET) + b", yes" in raw
    assert "you said ******" in run.done.stdout


def test_the_log_of_the_line_has_what_the_board_said_and_the_remark_at_its_place(run: Ran) -> None:
    raw = (run.results / "console" / "linux.board.console.raw").read_bytes()
    shown = run.done.stdout

    assert b"Linux version" in raw[:2000]
    assert raw.rstrip().endswith(b"reboot: Power down")
    before, remark, after = (
        shown.index(text) for text in ("| before\n", "(console board.console: the update is", "| after\n")
    )
    assert before < remark < after
    assert "closed, so that somebody else can use the port" in shown


def test_what_was_fetched_is_what_was_sent(run: Ran) -> None:
    back = (run.results / "artifacts" / "linux" / "back.bin").read_bytes()

    assert back == CONTENT
