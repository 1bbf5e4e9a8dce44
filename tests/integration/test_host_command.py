"""host_command and host_command_list, with a real shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.plain_context import PlainContext
from support.processes import wait_until_gone

from runner.api import Cancelled, Duration, Failed, RecipeFault, TimedOut, Unreachable
from runner.api.program import Ended
from runner.modules.core.host_command import HostCommand
from runner.modules.core.host_command_list import HostCommandList
from runner.modules.core.shell import NamedCommand, Shell


def call(script: str | NamedCommand, context: PlainContext | None = None, **arguments: Any) -> Ended:
    shell = Shell(commands={"it": script})
    shell.open()
    return HostCommand(name="it", shell=shell, **arguments).run(context or PlainContext())


def test_arguments_reach_the_script_as_they_are_and_its_name_is_the_zeroth() -> None:
    ended = call('printf "%s|" "$0" "$@"', args=["a b", "$HOME", "", "*"])

    assert ended.stdout == "it|a b|$HOME||*|"


def test_variables_and_standard_input_reach_the_script() -> None:
    assert call("cat; echo $RIG", env={"RIG": "7"}, stdin="in\n").stdout == "in\n7\n"


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_FUNC_x%%", "BASH_ENV", "HOME", "1A", "a b", ""])
def test_a_variable_that_changes_which_programs_run_is_refused_and_nothing_is_started(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(RecipeFault, match="may not be set|is no name of a variable"):
        call(f"touch {tmp_path}/started", env={name: "x"})
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_not_there_is_refused_with_the_nearest() -> None:
    shell = Shell(commands={"reset_hub": "true"})
    with pytest.raises(RecipeFault, match="there is no command 'reset_hup'") as caught:
        HostCommand(name="reset_hup", shell=shell).run(PlainContext())
    assert caught.value.hint == "did you mean 'reset_hub'?"


def test_a_status_that_is_not_fine_fails_with_the_end_of_what_was_printed() -> None:
    with pytest.raises(Failed, match="'it': exit status 3, expected 0 or 1") as caught:
        call("echo bad >&2; exit 3", status=[0, 1])
    assert caught.value.evidence["stderr"] == "bad"
    assert call("exit 3", status=[3]).status == 3
    assert call("exit 3", status=[]).status == 3


def test_when_its_time_is_over_all_that_it_started_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    class WatchedFromItsStart(PlainContext):
        def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
            wait_until(pid.exists, "the script has begun")  # before its time is looked at
            return super().on_cancel(wake)

    script = f"trap '' TERM; sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait"
    with pytest.raises(TimedOut, match="'it' has not ended within 300ms") as caught:
        call(NamedCommand(script=script, limit=Duration("300ms")), WatchedFromItsStart())
    assert "in the inventory" in (caught.value.hint or "")
    wait_until_gone(int(pid.read_text(encoding="utf-8")))


def test_a_limit_of_the_step_goes_before_that_of_the_inventory() -> None:
    assert call(
        NamedCommand(script="sleep 0.2; echo done", limit=Duration("1ms")), limit=Duration("60s")
    ).stdout


def test_a_cancelled_step_ends_it(tmp_path: Path) -> None:
    class CancelledByOutput(PlainContext):
        def log(self, text: str, level: str = "info") -> None:
            self.cancel()

    with pytest.raises(Cancelled):
        call(f"echo $$ > {tmp_path}/pid; echo here; sleep 1000", CancelledByOutput())
    wait_until_gone(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_ten_megabytes_of_output_are_counted_and_do_not_crawl() -> None:
    ended = call("head -c 10000000 /dev/zero | tr '\\0' x")

    assert ended.dropped + len(ended.stdout) == 10_000_000


def test_the_list_says_what_each_command_does() -> None:
    shell = Shell(
        limit=Duration("9s"),
        commands={
            "name": "hostname",
            "reset": NamedCommand(script="true", description="Reset it", limit=Duration("2s")),
        },
    )
    listed = HostCommandList(shell=shell).run(PlainContext()).commands

    assert [(each.name, each.description, each.limit) for each in listed] == [
        ("name", "", Duration("9s")),
        ("reset", "Reset it", Duration("2s")),
    ]


def test_under_check_the_name_is_looked_up_and_nothing_is_started(tmp_path: Path) -> None:
    shell = Shell(commands={"a": f"touch {tmp_path}/started"})

    assert HostCommand(name="a", shell=shell).predict(PlainContext()) == "would call 'a' on the host"
    with pytest.raises(RecipeFault, match="there is no command 'b'"):
        HostCommand(name="b", shell=shell).predict(PlainContext())
    assert not list(tmp_path.iterdir())


def test_what_is_there_already_need_not_be_done(tmp_path: Path) -> None:
    shell = Shell(commands={"make": "echo made > key", "drop": "rm key; echo dropped"}, chdir=str(tmp_path))
    make = HostCommand(name="make", creates="key", shell=shell)
    drop = HostCommand(name="drop", removes=f"{tmp_path}/key", shell=shell)

    assert drop.predict(PlainContext()) == f"'{tmp_path}/key' is not there any more: nothing would change"
    assert make.predict(PlainContext()) == "would call 'make' on the host"
    assert make.run(PlainContext()).status == 0
    (tmp_path / "key").write_text("kept", encoding="utf-8")
    assert make.run(PlainContext()).stdout == ""
    assert (tmp_path / "key").read_text(encoding="utf-8") == "kept"
    assert make.predict(PlainContext()) == "'key' is there already: nothing would change"
    assert drop.run(PlainContext()).stdout == "dropped\n"
    assert (drop.run(PlainContext()).stdout, drop.run(PlainContext()).status) == ("", 0)
    assert [each.argument for each in HostCommand.misfits({"creates": "a", "removes": "b"})] == ["removes"]


def test_a_folder_or_a_script_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="there is no folder"):
        Shell(commands={"a": "true"}, chdir=str(tmp_path / "gone")).open()
    with pytest.raises(RecipeFault, match="the command 'a' has an empty script"):
        Shell(commands={"a": " "}).open()
    shell = Shell(commands={"a": "pwd"}, chdir=str(tmp_path))
    assert HostCommand(name="a", shell=shell).run(PlainContext()).stdout == f"{tmp_path}\n"
