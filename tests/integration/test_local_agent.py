import hashlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import probes
from support.command import wait_until

from runner.agent.calls import (
    Advanced,
    Configure,
    ConsoleBytes,
    DeviceSpec,
    Heard,
    Listening,
    Noted,
    Opened,
    Piece,
    Release,
    Run,
    Said,
    Saved,
    Saving,
    Take,
    Waiting,
)
from runner.api import Cancelled, Failed, LabError, RecipeFault, TimedOut
from runner.connect import process
from runner.connect.link import Crash
from runner.connect.process import Child, LocalAgent
from runner.engine.cancel import Cancellation

PROBES = "lab_of_tests.probes"
SHOWN = "/where/the/author/keeps/probes.py"
SOURCES = {PROBES: (SHOWN, Path(probes.__file__).read_text(encoding="utf-8"))}
LONG = 60.0
"""Seconds after which something that has not ended hangs."""
SLOW = 20.0
"""Seconds that a slow machine may take beyond what is promised."""


class Lab:
    """An agent of this machine, and what is heard of it."""

    def __init__(self, **options: Any) -> None:
        self.heard: list[Heard] = []
        self.said: list[str] = []
        self.chunks: list[ConsoleBytes] = []
        self.agent = LocalAgent(sources=SOURCES, console=self.chunks.append, heard=self._note, **options)

    def _note(self, heard: Heard) -> None:
        assert isinstance(heard, (Said, Listening))
        if isinstance(heard, Said):
            self.said.append(heard.text)

    def ask(
        self, request: Any, cancel: Cancellation | None = None, hear: Callable[[Heard], None] | None = None
    ) -> Any:
        return self.agent.call(request, hear or self.heard.append, cancel=cancel or Cancellation())

    def configure(
        self, aliases: dict[str, str] | None = None, bench: str = "b", **devices: tuple[str, dict[str, Any]]
    ) -> None:
        specs = {
            name: DeviceSpec(cls.lower(), f"{PROBES}:{cls}", options)
            for name, (cls, options) in devices.items()
        }
        self.ask(Configure(bench=bench, devices=specs, aliases=aliases or {}))

    def run(
        self,
        module: str,
        devices: dict[str, Any] | None = None,
        *,
        cancel: Cancellation | None = None,
        hear: Callable[[Heard], None] | None = None,
        limit: float = 60.0,
        origin: str = "",
        idle: float | None = None,
        **arguments: Any,
    ) -> Any:
        request = Run("b", f"{PROBES}:{module}", arguments, devices or {}, limit, origin, idle)
        answer = self.ask(request, cancel, hear)
        return answer["value"] if isinstance(answer, dict) else answer


@pytest.fixture
def lab() -> Iterator[Lab]:
    it = Lab()
    it.configure()
    yield it
    it.agent.close()


def process_of(lab: Lab) -> "subprocess.Popen[bytes]":
    child = lab.agent._port
    assert isinstance(child, Child)
    return child._process


def children_of(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()))


def watch(pid: int) -> int:
    return os.pidfd_open(pid)


def gone(watched: int, seconds: float = LONG) -> bool:
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    try:
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(watched)


# --- calls ---------------------------------------------------------------------------------------


def test_a_module_that_was_pushed_runs_and_numbers_stay_exact(lab: Lab) -> None:
    assert lab.run("Echo", text="\ud800 \N{PILE OF POO}\0", number=2**100 + 1) == [
        "\ud800 \N{PILE OF POO}\0",
        2**100 + 1,
    ]


def test_what_a_module_says_is_heard_in_order(lab: Lab) -> None:
    lab.run("Chatty")
    content = bytes(range(256)) * 8192
    assert b"".join(each.data for each in lab.heard if isinstance(each, Piece)) == content
    assert [each for each in lab.heard if not isinstance(each, Piece)] == [
        Said("hello", "warning"),
        Noted("volts", 3.3, "V"),
        Advanced(1, 2, "B"),
        Saving("big.bin", len(content)),
        Saved("big.bin", len(content), hashlib.sha256(content).hexdigest()),
        Advanced(2, 2, "B"),
    ]


def test_stray_prints_go_to_the_log_and_never_into_the_protocol(lab: Lab) -> None:
    assert lab.run("Prints") == ""
    wait_until(lambda: len(lab.said) >= 4, "all of it is said")
    lab.agent.close()
    assert lab.said == ["a stray print", "a stray write", "a stray puts", "a stray child"]


def test_five_megabytes_come_back_whole(lab: Lab) -> None:
    assert lab.run("Large", size=5 * 2**20) == "x" * (5 * 2**20)


def test_five_megabytes_get_there(lab: Lab) -> None:
    text = "y" * (5 * 2**20)
    assert lab.run("Echo", text=text, number=1) == [text, 1]


def test_two_hundred_calls_at_once_are_all_under_way_and_all_answered(lab: Lab) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(lab.run("Meets", barrier=200))) for _ in range(200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(answers) == 200


def test_calls_one_after_the_other_share_a_few_threads(lab: Lab) -> None:
    counts = [lab.run("Meets", barrier=1) for _ in range(100)]
    assert max(counts) < counts[0] + 20  # one that has answered is free again a moment later


def test_the_agent_imports_no_library_that_is_not_pythons_own(lab: Lab) -> None:
    allowed = {*sys.stdlib_module_names, "runner", "lab_of_tests", "__main__"}
    tops = {name.partition(".")[0] for name in lab.run("Imported")}
    assert {name for name in tops - allowed if not name.startswith("__editable__")} <= {
        "_virtualenv",
        "_distutils_hack",
    }


# --- bad ends ------------------------------------------------------------------------------------


def test_a_verdict_comes_back_as_it_was_raised(lab: Lab) -> None:
    with pytest.raises(Failed, match="no prompt") as caught:
        lab.run("Fails")
    assert caught.value.hint == "power it"
    assert caught.value.result == {"value": 1}
    assert caught.value.evidence == {"tail": {"$bytes": "eA=="}}


def test_an_error_of_a_module_is_a_crash_whose_traceback_shows_the_authors_file(lab: Lab) -> None:
    with pytest.raises(Crash, match="ConnectionResetError: by peer") as caught:
        lab.run("Raises")
    first, *_, last = caught.value.traceback.strip().splitlines()
    assert first == "Traceback (most recent call last):"
    assert last == "ConnectionResetError: by peer"
    assert f'File "{SHOWN}", line ' in caught.value.traceback
    assert 'raise ConnectionResetError("by peer")' in caught.value.traceback
    assert "runner/agent" not in caught.value.traceback


def test_a_module_that_exits_ends_only_itself(lab: Lab) -> None:
    with pytest.raises(Crash, match="SystemExit: 3"):
        lab.run("Leaves")
    assert lab.run("Nothing") is None


def test_a_class_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"no class 'NoSuch' in lab_of_tests.probes"):
        lab.run("NoSuch")


def test_an_argument_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(RecipeFault, match="Nothing has no argument 'x'"):
        lab.run("Nothing", x=1)


def test_a_bench_that_was_not_configured_is_named(lab: Lab) -> None:
    with pytest.raises(LabError, match="bench 'other' is not configured"):
        lab.ask(Run("other", f"{PROBES}:Nothing", {}, {}, 5.0))


def test_a_module_that_ends_the_process_is_the_end_of_the_agent_with_its_last_words(lab: Lab) -> None:
    with pytest.raises(LabError, match="the agent of this machine died: exit status 7") as caught:
        lab.run("Exits", status=7)
    assert "about to leave" in str(caught.value.evidence["last lines"])
    assert lab.agent.lost == caught.value.message
    with pytest.raises(LabError, match="exit status 7"):
        lab.run("Nothing")


def test_a_module_that_crashes_the_interpreter_is_told_with_its_stack(lab: Lab) -> None:
    with pytest.raises(LabError, match="died: killed by SIGSEGV") as caught:
        lab.run("Segfaults")
    assert caught.value.message == "the agent of this machine died: killed by SIGSEGV"
    assert f'File "{SHOWN}", line ' in str(caught.value.evidence["last lines"])


def test_an_agent_that_cannot_be_started_is_told() -> None:
    with pytest.raises(LabError, match="cannot start the agent of this machine"):
        Lab(command=["/no/such/python"]).run("Nothing")


def test_an_agent_that_is_something_else_is_told() -> None:
    it = Lab(command=["sh", "-c", "echo Welcome; echo no python here >&2; exit 3"])
    with pytest.raises(LabError, match=r"the agent of this machine (broke the protocol|died)") as caught:
        it.run("Nothing")
    assert "no python here" in str(caught.value.evidence["last lines"])
    it.agent.close()


# --- limits --------------------------------------------------------------------------------------


def test_a_limit_is_a_time_out_that_says_where_it_is_set(lab: Lab) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        lab.run("Sleeps", seconds=60, limit=0.2, origin="the step's timeout of 200ms")
    assert caught.value.message == "time is over: the step's timeout of 200ms"
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 30


def test_an_end_after_the_limit_is_a_time_out_with_its_result(lab: Lab) -> None:
    lab.run("Nothing")  # what is imported with the first module takes none of the limit
    with pytest.raises(TimedOut, match="time is over: the limit of 1s") as caught:
        lab.run("Late", limit=1.0)
    assert caught.value.result == {"value": "late"}


def test_a_cancel_reaches_the_module(lab: Lab) -> None:
    cancel = Cancellation()
    with pytest.raises(Cancelled, match="interrupted by SIGINT"):
        lab.run(
            "Sleeps", seconds=60, cancel=cancel, hear=lambda _heard: cancel.cancel("interrupted by SIGINT")
        )


def test_what_a_stopped_module_still_has_to_give_arrives_whole(lab: Lab) -> None:
    cancel, heard = Cancellation(), []

    def hear(what: Heard) -> None:
        heard.append(what)
        cancel.cancel("stopped by the recipe")

    with pytest.raises(Cancelled, match="stopped by the recipe"):
        lab.run("Keeps", cancel=cancel, hear=hear)

    assert [each.size for each in heard if isinstance(each, Saved)] == [256 * 8192]


def test_a_module_that_ignores_a_cancel_is_given_up_and_its_device_refused(lab: Lab, tmp_path: Path) -> None:
    pipe, diary = tmp_path / "pipe", tmp_path / "diary"
    os.mkfifo(pipe)
    lab.configure(
        {"power": "plug"}, plug=("Plug", {"diary": str(diary)}), other=("Plug", {"diary": str(diary)})
    )
    lab.run("Switch", {"power": "power"})  # what the first use takes takes none of the limit
    began = time.monotonic()
    with pytest.raises(
        LabError, match=r"Deaf on bench 'b' did not stop within 5s, told so because time is over"
    ):
        lab.run("Deaf", {"power": "power"}, file=str(pipe), limit=1.0)
    assert 5 < time.monotonic() - began < LONG
    with pytest.raises(LabError, match="plug of bench 'b' is still in use: Deaf on bench 'b' did not stop"):
        lab.run("Switch", {"power": "plug"})
    assert lab.run("Switch", {"power": "other"}) == "other"
    pipe.write_text("go on", encoding="utf-8")

    def is_free() -> bool:
        try:
            return bool(lab.run("Switch", {"power": "power"}) == "power")
        except LabError:
            return False

    wait_until(is_free, "the device may be used again")


def test_silence_of_the_console_is_a_time_out(lab: Lab, tmp_path: Path) -> None:
    lab.configure(guest=("Guest", {"diary": str(tmp_path / "pid")}))
    with pytest.raises(TimedOut, match="no console byte for 200ms: the step's idle_timeout"):
        lab.run("Waits", {"console": "guest.console"}, idle=0.2)


def test_an_idle_timeout_without_a_console_is_refused(lab: Lab) -> None:
    with pytest.raises(RecipeFault, match="idle_timeout needs a console, and bench 'b' has none"):
        lab.run("Nothing", idle=1.0)


# --- devices and consoles ------------------------------------------------------------------------


def test_a_device_stays_open_between_steps_and_is_closed_by_release(lab: Lab, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    lab.configure({"power": "plug"}, plug=("Plug", {"diary": str(diary)}))
    for _ in range(3):
        assert lab.run("Switch", {"power": "power"}) == "power"
    lab.ask(Release("b"))
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "on", "on", "close"]
    opened = [each for each in lab.heard if isinstance(each, Opened)]
    assert [(each.bench, each.device, each.driver) for each in opened] == [("b", "plug", "plug")]


def test_what_a_console_says_is_there_when_the_step_has_ended(lab: Lab, tmp_path: Path) -> None:
    lab.configure({"console": "guest.console"}, guest=("Guest", {"diary": str(tmp_path / "pid")}))
    for count in range(1, 21):
        lab.run("Listens", {"console": "console"})
        data = b"".join(each.data for each in lab.chunks)
        assert data == b"started\n" + b"hello from the board\n" * 10 * count
    assert {(each.bench, each.device) for each in lab.chunks} == {("b", "guest.console")}
    lab.ask(Release("b"))
    assert b"".join(each.data for each in lab.chunks).endswith(b"board\nstopped\n")


def test_a_flood_arrives_whole_though_the_listener_is_slow(tmp_path: Path) -> None:
    size, got = 16 * 2**20, []

    def listen(chunk: ConsoleBytes) -> None:
        got.append(len(chunk.data))
        if len(got) % 256 == 0:
            time.sleep(0.01)

    it = Lab()
    it.agent = LocalAgent(sources=SOURCES, console=listen, heard=it._note)
    it.configure(guest=("Guest", {"diary": str(tmp_path / "pid")}))
    it.run("Floods", {"console": "guest.console"}, size=size)
    wait_until(lambda: sum(got) >= size + len(b"started\n"), "the flood is heard")
    it.ask(Release("b"))
    it.agent.close()
    assert sum(got) == size + len(b"started\nstopped\n")


# --- locks ---------------------------------------------------------------------------------------


def test_a_bench_is_refused_to_a_second_agent_and_free_when_the_first_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_LOCKS", str(tmp_path))
    first, second = Lab(), Lab()
    try:
        assert first.ask(Take("rpi4", "run 1")) == {"taken": True}
        with pytest.raises(LabError, match=r"bench rpi4 is held by run 1 \(") as caught:
            second.ask(Take("rpi4", "run 2"))
        assert caught.value.evidence["holder"] == "run 1"
        (agent,) = children_of(process_of(first).pid)

        def hear(heard: Heard) -> None:
            assert isinstance(heard, Waiting)
            os.kill(agent, signal.SIGKILL)

        assert second.ask(Take("rpi4", "run 2", wait=30), hear=hear) == {"taken": True}
        second.ask(Release("rpi4"))
    finally:
        first.agent.close()
        second.agent.close()


# --- life and death ------------------------------------------------------------------------------


def test_closing_closes_devices_and_ends_all_that_was_started(lab: Lab, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    lab.configure(plug=("Plug", {"diary": str(diary)}))
    lab.run("Switch", {"power": "plug"})
    watched = [watch(pid) for pid in lab.run("Spawns")]
    lab.agent.close()
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "close"]
    assert all(gone(each, 0.1) for each in watched)
    assert process_of(lab).returncode == 0
    with pytest.raises(LabError, match="closed"):
        lab.run("Nothing")


def test_closing_cancels_what_runs_and_takes_ten_seconds_at_most(tmp_path: Path) -> None:
    it = Lab()
    it.configure(plug=("Plug", {"diary": str(tmp_path / "diary"), "slow_to_close": 60.0}))
    it.run("Switch", {"power": "plug"})
    running, errors = threading.Event(), []

    def sleep() -> None:
        try:
            it.run("Sleeps", seconds=60, hear=lambda _heard: running.set())
        except (Cancelled, LabError) as error:
            errors.append(error)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    assert running.wait(LONG)
    began = time.monotonic()
    it.agent.close()
    assert time.monotonic() - began < 10 + SLOW
    sleeper.join(LONG)
    assert len(errors) == 1


def test_a_thread_that_a_module_left_behind_is_not_waited_for(lab: Lab) -> None:
    lab.run("Lingers")
    began = time.monotonic()
    lab.agent.close()
    assert time.monotonic() - began < 10 + SLOW
    assert process_of(lab).returncode == 0


def test_an_agent_that_is_stopped_is_killed_within_ten_seconds(lab: Lab) -> None:
    pids = lab.run("Spawns")
    watched = [watch(pid) for pid in pids]
    os.kill(pids[0], signal.SIGSTOP)
    began = time.monotonic()
    lab.agent.close()
    assert process._ENDS_WITHIN < 10
    assert time.monotonic() - began < process._ENDS_WITHIN + SLOW
    assert all(gone(each) for each in watched)


def test_an_agent_that_falls_silent_is_given_up() -> None:
    it = Lab(patience=3.0)  # in which the agent has to start, too
    it.configure()
    (agent,) = children_of(process_of(it).pid)
    os.kill(agent, signal.SIGSTOP)
    with pytest.raises(LabError, match="gave no sign of life for 3s: killed by SIGKILL"):
        it.run("Nothing")
    it.agent.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_agent_after_it_has_closed_its_devices(
    tmp_path: Path, number: signal.Signals
) -> None:
    it = Lab()
    diary = tmp_path / "diary"
    it.configure(plug=("Plug", {"diary": str(diary)}))
    it.run("Switch", {"power": "plug"})
    process_of(it).send_signal(number)
    assert process_of(it).wait(LONG) == 0
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "close"]
    it.agent.close()


CONTROLLER = """
import json, sys
from runner.agent.calls import *
from runner.connect.process import Child, LocalAgent
from runner.engine.cancel import Cancellation

agent = LocalAgent(sources=json.loads(sys.argv[1]), console=lambda c: None, heard=lambda h: None)
def ask(request):
    return agent.call(request, lambda h: None, cancel=Cancellation())
ask(Configure("b", {"guest": DeviceSpec("guest", "lab_of_tests.probes:Guest", {"diary": sys.argv[2]}),
                    "plug": DeviceSpec("plug", "lab_of_tests.probes:Plug", {"diary": sys.argv[3]})}))
ask(Run("b", "lab_of_tests.probes:Switch", {}, {"power": "plug"}, 60.0))
pids = ask(Run("b", "lab_of_tests.probes:Spawns", {}, {}, 60.0))["value"]
print(json.dumps([agent._port._process.pid, *pids, int(open(sys.argv[2]).read())]), flush=True)
sys.stdin.read()
"""


def test_when_the_controller_is_killed_the_agent_cleans_up_and_goes(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    controller = subprocess.Popen(
        [sys.executable, "-c", CONTROLLER, json.dumps(SOURCES), str(tmp_path / "pid"), str(diary)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with controller:
        assert controller.stdout is not None
        watched = [watch(pid) for pid in json.loads(controller.stdout.readline())]
        controller.kill()
        assert all(gone(each) for each in watched)
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "close"]


def test_when_the_agent_is_killed_nothing_of_it_is_left(lab: Lab) -> None:
    pids = lab.run("Spawns")
    watched = [watch(pid) for pid in (process_of(lab).pid, *pids)]
    os.kill(pids[0], signal.SIGKILL)
    assert all(gone(each) for each in watched)
    with pytest.raises(LabError, match="died: killed by SIGKILL"):
        lab.run("Nothing")


def test_when_its_warden_is_killed_the_agent_closes_its_devices_and_goes(lab: Lab, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    lab.configure(plug=("Plug", {"diary": str(diary)}))
    lab.run("Switch", {"power": "plug"})
    (agent,) = children_of(process_of(lab).pid)
    watched = watch(agent)
    process_of(lab).kill()
    assert gone(watched)
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "close"]


def test_an_agent_without_a_word_from_its_controller_goes() -> None:
    agent = subprocess.Popen(
        [sys.executable, "-P", "-m", "runner.agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with agent:
        assert agent.stdin is not None
        hello = json.dumps({"protocol": 1, "patience": 0.3}).encode()
        agent.stdin.write(len(hello).to_bytes(4, "big") + b"\x01\0\0\0\0" + hello)
        agent.stdin.flush()
        assert agent.wait(LONG) == 0


def test_garbage_ends_the_agent_with_a_protocol_error() -> None:
    agent = subprocess.run(
        [sys.executable, "-P", "-m", "runner.agent"],
        input=random.Random(1).randbytes(4096),
        capture_output=True,
        timeout=LONG,
        check=False,
    )
    assert agent.returncode == 1
    assert b"runner agent: protocol error: expected a frame, got b" in agent.stderr
