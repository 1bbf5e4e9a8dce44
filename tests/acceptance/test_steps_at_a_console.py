"""What a recipe types at a board and reads of it, step by step, on the simulated board."""

from __future__ import annotations

from pathlib import Path

from support.command import runner
from support.reports import Report

RECIPE = r"""
benches: sim
setup:
  - uboot_enter: {power: cycle, off_time: 100ms, within: 60s}
tests:
  - test: commands
    steps:
      - uboot_cmd: {command: "echo hello; false", check: false, timeout: 60s}
        expect: [result.status == 1, result.output == 'hello']
      - uboot_cmd: {command: "false"}
        expect_error: {match: "exit status 1, expected 0: false"}
      - uboot_cmd: 'setenv tried ${tried}x; test ${tried} = xxx'
        retries: 2
        delay: 1ms
        retry_on: [failed]
  - test: variables
    steps:
      - uboot_env: {set: {trial: "a b", bootdelay: "7", zz: last}}
        expect: result.changed and result.values.trial == 'a b'
      - uboot_env: {get: [trial, nothing]}
        expect: result.values.trial == 'a b' and result.values.nothing is none
      - uboot_env: {all: true}
        expect:
          - result.values.trial == 'a b' and result.values.bootdelay == '7' and result.values.zz == 'last'
          - not result.changed
      - uboot_env: {set: {trial: null}}
      - uboot_env: {all: true}
        expect: "'trial' not in result.values"
  - test: what is said
    steps:
      - console_mark: before
      - console_send: {text: "echo number 42, the end", enter: true}
      - expect_console: {pattern: '(?m)^number (\d+)', within: 60s}
        expect:
          - result.groups[0] == '42' and result.text == 'number 42'
          - "'echo number' in result.before"
      - expect_console: {exact: ", the end", within: 60s}
      - expect_console: {any_of: {good: "number 4.", bad: "number 5."}, since: before, within: 60s}
        expect: result.name == 'good'
      - expect_console: {pattern: "number 9", within: 20ms}
        expect_error: {class: timeout}
teardown:
  - power_off:
"""


def test_commands_variables_and_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    done = runner(tmp_path, "play", "recipe.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(Report(tmp_path / "results" / "latest").outcomes.values()) == ["passed"] * 3
    assert "uboot_cmd setenv tried ${tried}x; test ${tried} = xxx passed on attempt 3" in done.stdout
