"""The driver `corellium` and an emulated API: what is sent, what is waited for, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from support.context import StepContext
from support.corellium import PROJECT, TOKEN, Corellium
from support.corellium_driver import Driven, become
from support.plain_context import PlainContext
from support.power_rigs.rig import RealTime

from runner.api import (
    Cancelled,
    Duration,
    LabError,
    MachineState,
    Unsupported,
)
from runner.modules.corellium.corellium import Corellium as Driver
from runner.modules.machine.console_url import ConsoleUrl
from runner.modules.machine.vm import Vm
from runner.modules.machine.vm_info import VmInfo
from runner.modules.machine.vm_qmp import VmQmp
from runner.modules.machine.vm_send_key import VmSendKey
from runner.modules.machine.vm_snapshot import VmSnapshot
from runner.modules.power.power_off import PowerOff
from runner.modules.power.power_on import PowerOn

pytestmark = pytest.mark.peer("bash")


def test_a_device_is_made_switched_and_deleted_by_exactly_these_requests(
    corellium: Corellium, driven: Driven
) -> None:
    driver = driven(build="Critical Application Monitor (Baremetal)")

    made = become(driver, "running")
    stopped = become(driver, "stopped", graceful=False)
    gone = become(driver, "absent")

    assert (made.previous, made.state, made.created, made.polls > 1) == ("absent", "running", True, True)
    assert (stopped.previous, stopped.state, stopped.created) == ("running", "stopped", False)
    assert (gone.previous, gone.state, gone.destroyed) == ("stopped", "absent", True)
    body = (
        f'{{"name": "nightly", "project": "{PROJECT}", "flavor": "kronos", "os": "1.1.1", '
        '"osbuild": "Critical Application Monitor (Baremetal)"}'
    )
    path = next(each.path for each in corellium.asked if each.method == "DELETE")
    assert corellium.lines == [
        f"POST /api/v1/instances {body}",
        f'PUT {path}/state {{"state": "off"}}',
        f"DELETE {path}",
    ]
    assert {each.headers["Authorization"] for each in corellium.asked} == {f"Bearer {TOKEN}"}
    assert {each.headers.get("Content-Type") for each in corellium.asked if each.body} == {"application/json"}


@pytest.mark.parametrize(
    ("state", "orders"),
    [
        ("creating", []),
        ("booting", []),
        ("rebooting", []),
        ("restoring", []),
        ("on", []),
        ("off", ['PUT /state {"state": "on"}']),
        ("paused", ["POST /unpause"]),
    ],
)
def test_what_is_on_its_way_is_waited_for_and_nothing_is_made_twice(
    state: str, orders: list[str], corellium: Corellium, driven: Driven
) -> None:
    instance = corellium.add("nightly", state)
    if state not in ("off", "paused"):
        instance.ahead = [state, state, "on"]

    driven().start()

    assert [each.replace(f"/api/v1/instances/{instance.id}", "") for each in corellium.lines] == orders
    assert instance.state == "on"


def test_a_device_that_is_being_deleted_is_made_anew_when_it_is_gone(
    corellium: Corellium, driven: Driven
) -> None:
    old = corellium.add("nightly", "deleting")
    old.ahead = ["deleting", "deleting", ""]

    driven().start()

    assert [each.split()[0] for each in corellium.lines] == ["POST"]
    assert [(each.name, each.state) for each in corellium.instances.values()] == [("nightly", "on")]
    assert old.id not in corellium.instances


@pytest.mark.parametrize(
    ("state", "told", "power"),
    [
        ("on", "running", "on"),
        ("booting", "running", "on"),
        ("creating", "running", "on"),
        ("paused", "paused", "on"),
        ("off", "stopped", "off"),
        ("deleting", "stopped", "off"),
    ],
)
def test_every_state_has_its_meaning(
    state: str, told: MachineState, power: str, corellium: Corellium, driven: Driven
) -> None:
    corellium.add("nightly", state)
    driver = driven()

    assert (driver.state(), driver.info().status, driver.power().state()) == (told, state, power)


def test_a_device_that_fails_ends_the_step_at_once_with_the_words_of_the_api(
    corellium: Corellium, driven: Driven
) -> None:
    corellium.breaks = "no server has 64 cores"
    driver = driven()

    with pytest.raises(LabError, match="is in the state 'error': no server has 64 cores") as caught:
        PowerOn(power=driver.power()).run(RealTime())
    assert "'pdu' on bench 'rack-1'" in caught.value.message
    assert caught.value.hint == "'vm: absent' deletes it"
    assert driver.info().state == "failed"
    for call in (driver.start, driver.stop, driver.pause, driver.reset, driver.power().state):
        with pytest.raises(LabError, match="no server has 64 cores"):
            call()
    assert become(driver, "absent").destroyed


def test_a_device_that_gets_nowhere_is_told_with_the_limit_that_was_hit(
    corellium: Corellium, driven: Driven
) -> None:
    corellium.add("nightly", "on")
    corellium.stuck = True
    driver = driven(patience=Duration("200ms"))

    with pytest.raises(LabError, match="is still 'on' after 200ms, expected 'off' or gone") as caught:
        PowerOff(power=driver.power()).run(RealTime())
    assert "'pdu' on bench 'rack-1'" in caught.value.message
    assert caught.value.hint == "'patience' gives it more time"


def _run(driver: Driver, context: PlainContext) -> None:
    Vm(state="running", vm=driver).run(context)


def _shut_down(driver: Driver, context: PlainContext) -> None:
    driver.shut_down(3600, context)


@pytest.mark.parametrize(("state", "wait"), [("creating", _run), ("on", _shut_down)])
def test_a_cancelled_step_does_not_wait_any_longer_for_a_device(
    state: str, wait: Callable[[Driver, PlainContext], None], corellium: Corellium, driven: Driven
) -> None:
    corellium.add("nightly", state)
    corellium.obeys = False
    driver = driven(poll_interval=Duration("10m"), patience=Duration("1h"))
    context = PlainContext()
    looks = len(corellium.asked)
    ended: list[BaseException] = []

    def play() -> None:
        try:
            wait(driver, context)
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=play)
    thread.start()
    while len(corellium.asked) < looks + 2:
        thread.join(0.01)
    context.cancel()
    thread.join(30)

    assert len(ended) == 1


def test_a_guest_is_asked_first_and_one_that_does_not_obey_is_switched_off(
    corellium: Corellium, driven: Driven
) -> None:
    instance = corellium.add("nightly", "on")
    driver = driven()

    assert become(driver, "stopped").shut_down is True
    driver.start()
    corellium.obeys = False
    context = StepContext()
    switched = Vm(state="stopped", within=Duration("50ms"), vm=driver).run(context)

    assert (switched.shut_down, switched.state) == (False, "stopped")
    assert ("warning", "the guest has not ended within 50ms: it is switched off") in context.said
    assert [each.replace(f"/api/v1/instances/{instance.id}", "") for each in corellium.lines] == [
        'POST /stop {"soft": true}',
        'PUT /state {"state": "on"}',
        'POST /stop {"soft": true}',
        'PUT /state {"state": "off"}',
    ]


def test_it_pauses_goes_on_and_is_described(corellium: Corellium, driven: Driven) -> None:
    driver = driven()

    assert become(driver, "paused").state == "paused"
    info = VmInfo(vm=driver).run(StepContext())
    assert (info.state, info.status, info.project, info.model) == (
        "paused",
        "paused",
        "Default Project",
        "kronos",
    )
    assert [(each.name, each.id) for each in info.consoles] == [
        ("Primary Compute Non-Secure", "port-1-cons"),
        ("Primary Compute Secure", "port-2-cons"),
    ]
    assert info.id in corellium.instances
    assert become(driver, "running").previous == "paused"
    assert become(driver, "paused").state == "paused"
    assert become(driver, "stopped").shut_down is True
    assert [each.rpartition("/")[2] for each in corellium.lines][-2:] == ["unpause", 'stop {"soft": true}']


def test_what_is_not_there_is_described_and_left_alone(corellium: Corellium, driven: Driven) -> None:
    driver = driven()
    info = driver.info()

    assert (info.state, info.status, info.id, info.model) == ("absent", "absent", "", "imx8mp-evk")
    assert become(driver, "stopped").state == "absent"
    assert become(driver, "absent").destroyed is False
    with pytest.raises(LabError, match="cannot be reset: it is not there"):
        become(driver, "reset")
    assert corellium.lines == []


def test_the_url_of_a_console_is_told_as_a_secret(corellium: Corellium, driven: Driven) -> None:
    driver = driven()
    with pytest.raises(LabError, match="there is no instance 'nightly'"):
        ConsoleUrl(vm=driver).run(StepContext())
    driver.start()

    one = ConsoleUrl(vm=driver).run(StepContext())
    other = ConsoleUrl(console="Primary Compute Secure", vm=driver).run(StepContext())

    assert (one.console_id, other.console_id) == ("port-1-cons", "port-2-cons")
    assert one.url.startswith(f"{corellium.consoles.url}/console?token=once-")
    assert "once-" not in repr(one)
    with pytest.raises(
        LabError, match="no console 'Primary Computer Secure' at instance 'nightly'"
    ) as caught:
        ConsoleUrl(console="Primary Computer Secure", vm=driver).run(StepContext())
    assert caught.value.hint == "did you mean 'Primary Compute Secure'?"


def test_snapshots_are_made_restored_and_deleted(corellium: Corellium, driven: Driven) -> None:
    driver = driven()
    driver.start()
    kept = VmSnapshot(save="fresh", vm=driver).run(StepContext())
    assert kept.names == ("fresh",)
    assert kept.snapshots[0].taken > 1_000_000_000

    replaced = VmSnapshot(save="fresh", replace=True, vm=driver).run(StepContext())
    assert replaced.names == ("fresh",)
    assert VmSnapshot(load="fresh", vm=driver).run(StepContext()).names == ("fresh",)
    assert driver.state() == "running"
    assert VmSnapshot(delete="fresh", vm=driver).run(StepContext()).names == ()
    verbs = [each.partition("/snapshots")[2] for each in corellium.lines if "/snapshots" in each]
    assert verbs[:2] == [' {"name": "fresh"}'] * 2
    assert [len(each) for each in verbs[2:]] == [37, len("/restore") + 37, 37]
    with pytest.raises(LabError, match="no snapshot 'gone'"):
        VmSnapshot(load="gone", vm=driver).run(StepContext())


def test_what_the_api_cannot_is_unsupported(driven: Driven) -> None:
    driver = driven()

    for module in (
        VmQmp(command="query-status", vm=driver),
        VmSendKey(keys="a", vm=driver),
    ):
        with pytest.raises(Unsupported):
            module.run(StepContext())


def test_in_check_mode_nothing_but_looks_is_sent(corellium: Corellium, driven: Driven) -> None:
    driver = driven()
    context = RealTime()

    assert Vm(state="running", vm=driver).predict(context) == "would make the machine running: it is absent"
    assert Vm(state="absent", vm=driver).predict(context).endswith("nothing would change")
    assert "it is off" in PowerOn(power=driver.power()).predict(context)
    assert VmSnapshot(save="fresh", vm=driver).predict(context)
    assert {each.method for each in corellium.asked} == {"GET"}
