from typing import Any

import pytest

from runner.agent.calls import DeviceSpec, Take
from runner.agent.policy import Policy, held_no_longer
from runner.agent.policy_file import lines_of
from runner.api import LabError
from runner.modules.core.command import Command
from runner.modules.power.power_on import PowerOn

WHOLE = """
# who may do what
users = hil, ci-*
benches = rpi4-*, !rpi4-09
modules = power_*, command
devices = /dev/ttyUSB*
forwards = localhost:80*
max_hold = 2h

[user ci-*]
commands = yes      # nightly jobs
max_hold = 30m
"""
POWER, SHELL = "runner.modules.power.power_on:PowerOn", "runner.modules.core.command:Command"


def policy(text: str, user: str = "hil", **more: Any) -> Policy:
    return Policy("p", user, lines_of(text, "p", user), **{"guarded": False, **more})


def test_what_is_allowed_passes_and_a_section_counts_more_for_its_users() -> None:
    for user, hold in (("hil", 7200.0), ("ci-3", 1800.0)):
        it = policy(WHOLE, user)
        it.allow_bench("rpi4-01")
        it.allow_module(POWER, PowerOn)
        it.allow_nodes("console", ["/dev/ttyUSB0"])
        it.allow_forward("localhost:8080")
        assert it.max_hold == hold
    policy(WHOLE, "ci-3").allow_module(SHELL, Command)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda it: it.allow_bench("rpi4-09"), "bench 'rpi4-09' is not allowed to user 'hil' on host .*: p:4: benches = "),
        (lambda it: it.allow_module("runner.modules.x:PowerOn", type("Flash", (PowerOn,), {})), "module 'flash' .*: p:5: modules = "),
        (lambda it: it.allow_module(SHELL, Command), r"module 'command' .*: p \(default\): commands = no"),
        (lambda it: it.allow_module("mine.x:PowerOn", PowerOn), r"module 'power_on' .*: p \(default\): code = built-in"),
        (lambda it: it.allow_module("runner.modules.x:Policy", Policy), "is no module"),
        (lambda it: it.allow_path("subprocess:Popen"), r"code from 'subprocess' .*: p \(default\): code"),
        (lambda it: it.allow_nodes("c", ["/dev/../home/hil/x"]), "/dev/../home/hil/x .*: p:6: devices = "),
        (lambda it: it.allow_nodes("c", ["spy:///dev/ttyUSB0"]), "spy:///dev/ttyUSB0 .*: p:6: devices = "),
        (lambda it: it.allow_forward("10.0.0.1:22"), "a forward to or at 10.0.0.1:22 .*: p:7: forwards = "),
        (lambda it: it.allow_devices({"s": DeviceSpec("command", "runner.modules.power.command:Command", {"turn_on": "x", "turn_off": "y"})}), "driver 'command' .*: commands = no"),
        (lambda it: it.allow_devices({"s": DeviceSpec("file", "runner.modules.storage.file:File", {"path": "/home/hil/.ssh/authorized_keys"})}), r"authorized_keys \(device 's'\) .*: p:6: devices"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_with_the_line(ask: Any, said: str) -> None:
    with pytest.raises(LabError, match=said) as caught:
        ask(policy(WHOLE))
    assert caught.value.evidence["policy"]


def test_a_stranger_and_an_agent_that_was_sent_are_refused_the_host() -> None:
    with pytest.raises(LabError, match="the host is not allowed to user 'eve' .*: p:3: users = hil, ci-"):
        policy(WHOLE, "eve").allow_bench("rpi4-01")
    with pytest.raises(
        LabError, match="an agent that was sent here is not allowed .*: p:1: code = installed"
    ):
        policy("code = installed").allow_bench("b")
    policy("code = installed", guarded=True).allow_bench("b")


def test_a_host_without_a_policy_allows_everything() -> None:
    it = Policy("p", "hil", None, guarded=False)
    it.allow_bench("b")
    it.allow_module("mine:Command", Command)
    it.allow_nodes("c", ["spy://x"])
    it.allow_forward("10.0.0.1:22")
    assert it.max_hold is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modules = *\nmoduls = *", "p:2: 'moduls = .' is no line of a policy"),
        ("modules", "p:1: 'modules' is no line"),
        ("commands = maybe", "p:1: commands is no or yes, not 'maybe'"),
        ("max_hold = long", "p:1: max_hold is a time as 30m or 2h, not 'long'"),
        ("users = a\n\nusers = b", "p:3: users stands in p:1 already"),
        ("[bench x]", r"p:1: '\[bench x\]' is no line"),
    ],
)
def test_a_policy_that_cannot_be_understood_allows_nothing(text: str, said: str) -> None:
    with pytest.raises(LabError, match=f"{said}.*, so nothing may be done"):
        policy(text)


def test_a_hold_is_cut_to_what_the_policy_says_and_a_longer_reservation_is_refused() -> None:
    it = policy(WHOLE)
    asked = Take("rpi4-01", "run 1", hold=9000.0, hold_origin="somewhere")
    held = held_no_longer(asked, [it])
    assert (held.hold, held.hold_origin) == (7200.0, "the host's p:8: max_hold = 2h")
    assert held_no_longer(Take("b", "run 1"), [policy("max_hold = 5s"), it]).hold == 5.0
    assert held_no_longer(held, [it]) == held
    it.allow_reserving("rpi4-01", 7200.0)
    with pytest.raises(
        LabError, match="bench 'rpi4-01' for 2h30m is not allowed to user 'hil' .*: p:8: max_hold"
    ):
        it.allow_reserving("rpi4-01", 9000.0)
