"""The driver `corellium` and an emulated API: what is sent, what is waited for, and what goes wrong."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.context import StepContext
from support.corellium import PROJECT, TOKEN, Corellium, Reply, served
from support.mosquitto import make_certificates
from support.plain_context import PlainContext
from support.power_rigs.rig import RealTime

from runner.api import (
    Cancelled,
    Duration,
    LabError,
    MachineState,
    Secret,
    Unreachable,
    Unsupported,
)
from runner.console import Chunk
from runner.modules.corellium.corellium import Corellium as Driver
from runner.modules.corellium.parts import CloudConsole
from runner.modules.machine.console_url import ConsoleUrl
from runner.modules.machine.vm import Vm, VmSwitched
from runner.modules.machine.vm_info import VmInfo
from runner.modules.machine.vm_qmp import VmQmp
from runner.modules.machine.vm_screendump import VmScreendump
from runner.modules.machine.vm_send_key import VmSendKey
from runner.modules.machine.vm_snapshot import VmSnapshot
from runner.modules.power.power_off import PowerOff
from runner.modules.power.power_on import PowerOn

pytestmark = pytest.mark.peer("bash")

LIMIT = Duration("60s")
Driven = Callable[..., Driver]


@pytest.fixture
def api() -> Iterator[Corellium]:
    with served(Corellium()) as made:
        yield made


@pytest.fixture
def driven(api: Corellium) -> Iterator[Driven]:
    with ExitStack() as stack:

        def made(**options: Any) -> Driver:
            given = {
                "api": api.url,
                "token": Secret(TOKEN),
                "name": "nightly",
                "model": "imx8mp-evk",
                "os": "1.1.1",
                "console_name": "Primary Compute Non-Secure",
                "poll_interval": Duration("1ms"),
                "patience": LIMIT,
            }
            driver = Driver(**{**given, **options})
            driver.open()
            stack.callback(driver.close)
            return driver

        yield made


class Heard(CloudConsole):
    """A console that is read from now on, and keeps what it hears."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, driver.settings)
        self.raw = bytearray()
        self.gaps: list[str] = []
        self.back = threading.Event()
        self.start(self._note, "board.console")

    def _note(self, chunk: Chunk) -> None:
        self.raw += chunk.data
        if chunk.gap:
            self.gaps.append(chunk.gap)
        if chunk.gap.startswith("open again"):
            self.back.set()


@pytest.fixture
def heard() -> Iterator[Callable[[Driver], Heard]]:
    with ExitStack() as stack:

        def made(driver: Driver) -> Heard:
            console = Heard(driver)
            stack.callback(console.stop)
            return console

        yield made


def become(driver: Driver, state: Any, *consoles: CloudConsole, **more: Any) -> VmSwitched:
    return Vm(state=state, vm=driver, consoles=consoles, **more).run(PlainContext())


def printed(console: CloudConsole, command: str) -> str:
    return console.run(command, PlainContext(), timeout=LIMIT).output


def test_a_device_is_made_switched_and_deleted_by_exactly_these_requests(
    api: Corellium, driven: Driven
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
    path = next(each.path for each in api.asked if each.method == "DELETE")
    assert api.lines == [
        f"POST /api/v1/instances {body}",
        f'PUT {path}/state {{"state": "off"}}',
        f"DELETE {path}",
    ]
    assert {each.headers["Authorization"] for each in api.asked} == {f"Bearer {TOKEN}"}
    assert {each.headers.get("Content-Type") for each in api.asked if each.body} == {"application/json"}


def test_commands_run_at_its_console_through_all_its_lives(
    api: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    driver = driven()
    console = heard(driver)

    become(driver, "running", console)
    assert printed(console, "echo $((6 * 7))") == "42"
    become(driver, "reset", console)
    assert printed(console, "echo $((6 * 8))") == "48"
    become(driver, "stopped", console)
    become(driver, "running", console)

    assert printed(console, "echo $((6 * 9))") == "54"
    assert console.raw.count(b"booted") == 3
    assert console.gaps == []
    assert next(each.line for each in api.asked if "console" in each.path).endswith("/console?type=1-cons")
    assert all("Authorization" not in each for each in api.consoles.connected)


def test_a_console_that_ends_with_the_device_is_no_fault(
    api: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    api.add("nightly", "on")
    driver = driven()
    console = heard(driver)
    printed(console, "true")
    api.looks = 60

    become(driver, "stopped", console, graceful=False)

    assert console.gaps == []


def test_a_console_of_a_device_that_is_on_is_there_at_once(
    api: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    api.add("nightly", "on")

    assert printed(heard(driven()), "echo $((6 * 7))") == "42"
    assert api.lines == []


def test_a_console_that_is_closed_in_the_middle_is_opened_by_a_new_url(
    api: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    api.add("nightly", "on")
    console = heard(driven())
    printed(console, "true")

    api.consoles.hang_up()

    assert console.back.wait(30)
    assert printed(console, "echo $((6 * 7))") == "42"
    assert console.gaps[0].startswith("lost: console 'port-1-cons' at ws://127.0.0.1:")
    assert "once-" not in "".join(console.gaps)


def test_a_console_that_is_refused_is_unreachable_and_its_url_is_not_told(
    api: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    api.add("nightly", "on")
    api.consoles.refuses = True
    driver = driven()

    with pytest.raises(
        Unreachable, match=r"^console 'port-1-cons' at ws://127\.0\.0\.1:\d+: .*403"
    ) as caught:
        heard(driver)
    assert "once-" not in f"{caught.value} {caught.value.evidence}"


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
    state: str, orders: list[str], api: Corellium, driven: Driven
) -> None:
    instance = api.add("nightly", state)
    if state not in ("off", "paused"):
        instance.ahead = [state, state, "on"]

    driven().start()

    assert [each.replace(f"/api/v1/instances/{instance.id}", "") for each in api.lines] == orders
    assert instance.state == "on"


def test_a_device_that_is_being_deleted_is_made_anew_when_it_is_gone(api: Corellium, driven: Driven) -> None:
    old = api.add("nightly", "deleting")
    old.ahead = ["deleting", "deleting", ""]

    driven().start()

    assert [each.split()[0] for each in api.lines] == ["POST"]
    assert [(each.name, each.state) for each in api.instances.values()] == [("nightly", "on")]
    assert old.id not in api.instances


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
    state: str, told: MachineState, power: str, api: Corellium, driven: Driven
) -> None:
    api.add("nightly", state)
    driver = driven()

    assert (driver.state(), driver.info().status, driver.power().state()) == (told, state, power)


def test_a_device_that_fails_ends_the_step_at_once_with_the_words_of_the_api(
    api: Corellium, driven: Driven
) -> None:
    api.breaks = "no server has 64 cores"
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
    api: Corellium, driven: Driven
) -> None:
    api.add("nightly", "on")
    api.stuck = True
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
    state: str, wait: Callable[[Driver, PlainContext], None], api: Corellium, driven: Driven
) -> None:
    api.add("nightly", state)
    api.obeys = False
    driver = driven(poll_interval=Duration("10m"), patience=Duration("1h"))
    context = PlainContext()
    looks = len(api.asked)
    ended: list[BaseException] = []

    def play() -> None:
        try:
            wait(driver, context)
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=play)
    thread.start()
    while len(api.asked) < looks + 2:
        thread.join(0.01)
    context.cancel()
    thread.join(30)

    assert len(ended) == 1


def test_a_guest_is_asked_first_and_one_that_does_not_obey_is_switched_off(
    api: Corellium, driven: Driven
) -> None:
    instance = api.add("nightly", "on")
    driver = driven()

    assert become(driver, "stopped").shut_down is True
    driver.start()
    api.obeys = False
    context = StepContext()
    switched = Vm(state="stopped", within=Duration("50ms"), vm=driver).run(context)

    assert (switched.shut_down, switched.state) == (False, "stopped")
    assert ("warning", "the guest has not ended within 50ms: it is switched off") in context.said
    assert [each.replace(f"/api/v1/instances/{instance.id}", "") for each in api.lines] == [
        'POST /stop {"soft": true}',
        'PUT /state {"state": "on"}',
        'POST /stop {"soft": true}',
        'PUT /state {"state": "off"}',
    ]


def test_it_pauses_goes_on_and_is_described(api: Corellium, driven: Driven) -> None:
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
    assert info.id in api.instances
    assert become(driver, "running").previous == "paused"
    assert become(driver, "paused").state == "paused"
    assert become(driver, "stopped").shut_down is True
    assert [each.rpartition("/")[2] for each in api.lines][-2:] == ["unpause", 'stop {"soft": true}']


def test_what_is_not_there_is_described_and_left_alone(api: Corellium, driven: Driven) -> None:
    driver = driven()
    info = driver.info()

    assert (info.state, info.status, info.id, info.model) == ("absent", "absent", "", "imx8mp-evk")
    assert become(driver, "stopped").state == "absent"
    assert become(driver, "absent").destroyed is False
    with pytest.raises(LabError, match="cannot be reset: it is not there"):
        become(driver, "reset")
    assert api.lines == []


def test_the_url_of_a_console_is_told_as_a_secret(api: Corellium, driven: Driven) -> None:
    driver = driven()
    with pytest.raises(LabError, match="there is no instance 'nightly'"):
        ConsoleUrl(vm=driver).run(StepContext())
    driver.start()

    one = ConsoleUrl(vm=driver).run(StepContext())
    other = ConsoleUrl(console="Primary Compute Secure", vm=driver).run(StepContext())

    assert (one.console_id, other.console_id) == ("port-1-cons", "port-2-cons")
    assert one.url.startswith(f"{api.consoles.url}/console?token=once-")
    assert "once-" not in repr(one)
    with pytest.raises(
        LabError, match="no console 'Primary Computer Secure' at instance 'nightly'"
    ) as caught:
        ConsoleUrl(console="Primary Computer Secure", vm=driver).run(StepContext())
    assert caught.value.hint == "did you mean 'Primary Compute Secure'?"


def test_one_of_several_consoles_has_to_be_named(api: Corellium, driven: Driven) -> None:
    api.add("nightly", "on")

    with pytest.raises(LabError, match="instance 'nightly' has 2 consoles, and none is named") as caught:
        driven(console_name="").console().connect()
    assert caught.value.hint == (
        "name it with 'console_name': 'Primary Compute Non-Secure', 'Primary Compute Secure'"
    )


def test_snapshots_are_made_restored_and_deleted(api: Corellium, driven: Driven) -> None:
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
    verbs = [each.partition("/snapshots")[2] for each in api.lines if "/snapshots" in each]
    assert verbs[:2] == [' {"name": "fresh"}'] * 2
    assert [len(each) for each in verbs[2:]] == [37, len("/restore") + 37, 37]
    with pytest.raises(LabError, match="no snapshot 'gone'"):
        VmSnapshot(load="gone", vm=driver).run(StepContext())


def test_what_the_api_cannot_is_unsupported(driven: Driven) -> None:
    driver = driven()

    for module in (
        VmQmp(command="query-status", vm=driver),
        VmScreendump(vm=driver),
        VmSendKey(keys="a", vm=driver),
    ):
        with pytest.raises(Unsupported):
            module.run(StepContext())


def test_in_check_mode_nothing_but_looks_is_sent(api: Corellium, driven: Driven) -> None:
    driver = driven()
    context = RealTime()

    assert Vm(state="running", vm=driver).predict(context) == "would make the machine running: it is absent"
    assert Vm(state="absent", vm=driver).predict(context).endswith("nothing would change")
    assert "it is off" in PowerOn(power=driver.power()).predict(context)
    assert VmSnapshot(save="fresh", vm=driver).predict(context)
    assert {each.method for each in api.asked} == {"GET"}


ANSWERED = [
    (Reply(401, {"error": "Invalid or missing authorization token"}), "refuses the token: 401 Unauthorized: Invalid"),
    (Reply(403, {"error": "Forbidden", "errorID": "UserError"}), r"refuses the token: 403 .*Forbidden \(UserError\)"),
    (Reply(404, {"error": "Not Found", "errorID": "NotFoundError"}), r"answers 404 .*Not Found \(NotFoundError\)"),
    (Reply(429, {"error": "Too many requests"}), "answers 429 Too Many Requests: Too many requests"),
    (Reply(500, {"error": "it broke", "errorID": "InternalError"}), r"answers 500 .*it broke \(InternalError\)"),
    (Reply(503, "<html>maintenance</html>"), "answers 503 Service Unavailable: '<html>maintenance</html>'"),
    (Reply(200, "<html>Welcome</html>"), "answers 200, but '<html>Welcome</html>' is no JSON"),
    (Reply(200, {"projects": []}), "answers no list, but dict"),
    (Reply(302, "", {"Location": "https://other.example/api/v1/projects?a=b"}), "leads elsewhere, to 'https://other.e"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "message"), ANSWERED, ids=lambda each: str(getattr(each, "status", "")))
def test_every_wrong_answer_is_one_clear_error_that_names_the_address(
    reply: Reply, message: str, api: Corellium, driven: Driven
) -> None:
    api.next_replies = [reply]

    with pytest.raises(LabError, match=message) as caught:
        driven()
    assert api.url in caught.value.message
    assert TOKEN not in f"{caught.value} {caught.value.hint} {caught.value.evidence}"
    assert isinstance(caught.value, Unreachable) == (reply.status == 503)
    assert len(api.asked) == 1


def test_the_token_is_sent_to_nobody_else(api: Corellium, driven: Driven) -> None:
    with served(Corellium()) as other:
        api.next_replies = [Reply(307, "", {"Location": f"{other.url}/api/v1/projects"})]
        with pytest.raises(LabError, match="the token|leads elsewhere"):
            driven()

        assert other.asked == []


def test_a_wrong_token_is_refused_and_not_said(driven: Driven) -> None:
    with pytest.raises(LabError, match="Invalid or missing authorization token") as caught:
        driven(token=Secret("guessed"))

    assert "guessed" not in f"{caught.value} {caught.value.hint} {caught.value.evidence}"
    with pytest.raises(LabError, match="the token has characters that no token has") as caught:
        driven(token=Secret("two\nlines"))
    assert "lines" not in str(caught.value)


def test_a_busy_api_is_asked_again_when_it_says(api: Corellium, driven: Driven) -> None:
    api.next_replies = [
        Reply(503, {"error": "busy"}, {"Retry-After": "0"}),
        Reply(429, "", {"Retry-After": "0"}),
    ]

    assert driven().state() == "absent"
    assert [each.path for each in api.asked][:3] == ["/api/v1/projects"] * 3


def test_an_api_that_is_busy_for_too_long_is_not_waited_for(api: Corellium, driven: Driven) -> None:
    api.next_replies = [Reply(429, {"error": "slow down"}, {"Retry-After": "3600"})]

    with pytest.raises(LabError, match="429 .*slow down") as caught:
        driven()
    assert "ask again in 3600 s" in caught.value.hint


def test_a_refused_order_is_told_with_the_words_of_the_api(api: Corellium, driven: Driven) -> None:
    with pytest.raises(LabError, match=r"answers 400 Bad Request: Unsupported OS version 9\.9 \(UserError\)"):
        driven(os="9.9").start()
    assert api.instances == {}


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (
            {"project": "Defualt Project"},
            "no project 'Defualt Project' at http.*: there is 'Default Project', 'Release'",
            "did you mean 'Default Project'?",
        ),
        (
            {"model": "imx8mp-evc"},
            "no model 'imx8mp-evc' at http.*: there is 'imx8mp-evk', 'rpi4b'",
            "did you mean 'imx8mp-evk'?",
        ),
        ({"model": "kronoss"}, "no model 'kronoss'", "did you mean 'kronos'?"),
    ],
)
def test_a_misspelt_name_is_told_with_what_there_is(
    options: dict[str, str], message: str, hint: str, api: Corellium, driven: Driven
) -> None:
    with pytest.raises(LabError, match=message) as caught:
        driven(**options)
    assert caught.value.hint == hint
    assert api.lines == []


def test_a_model_and_a_project_may_be_named_by_flavor_and_id(api: Corellium, driven: Driven) -> None:
    driven(model="kronos", project=PROJECT).start()

    assert [each.flavor for each in api.instances.values()] == ["kronos"]


def test_one_name_for_two_devices_is_refused_and_the_id_does(api: Corellium, driven: Driven) -> None:
    one, other = api.add("nightly"), api.add("nightly", "on")
    elsewhere = api.add("lonely", project="another project")

    with pytest.raises(LabError, match="2 instances of project 'Default Project' are called 'nightly'"):
        driven().state()
    assert driven(name=other.id, model="", os="").state() == "running"
    assert driven(name=one.id).state() == "stopped"
    with pytest.raises(LabError, match="the inventory does not say what to make"):
        driven(name=elsewhere.name, model="", os="").start()


def test_an_api_that_does_not_answer_in_time_names_the_limit(api: Corellium, driven: Driven) -> None:
    api.silent = True

    with pytest.raises(Unreachable, match="/api/v1/projects did not answer within 200ms"):
        driven(limit=Duration("200ms"))


def test_nobody_there_is_unreachable(driven: Driven) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Unreachable, match=f"https://127.0.0.1:{port} cannot be reached: Connection refused"):
        driven(api=f"https://127.0.0.1:{port}")


def test_a_certificate_is_looked_at_unless_it_is_known(driven: Driven, tmp_path: Path) -> None:
    make_certificates(tmp_path, "server")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with served(Corellium(), trust) as secure:
        with pytest.raises(LabError, match="shows a certificate that is not trusted"):
            driven(api=secure.url)

        assert driven(api=secure.url, ca=str(tmp_path / "ca.pem")).state() == "absent"
        assert driven(api=secure.url, insecure=True).state() == "absent"


@pytest.mark.parametrize(
    ("given", "argument", "message"),
    [
        ({"api": "http://lab.example"}, "api", "not encrypted"),
        ({"api": "https://lab.example/v1"}, "api", "the path belongs to the requests"),
        ({"api": "ftp://lab.example"}, "api", "no address of the API"),
        ({"api": "https://me@lab.example"}, "api", "no address of the API"),
        ({"token": " "}, "token", "the token is empty"),
        ({"model": "rpi4b", "os": ""}, "model", "a device is made with a firmware"),
    ],
)
def test_options_that_cannot_be_right_are_told_before_the_run(
    given: dict[str, str], argument: str, message: str
) -> None:
    found = list(Driver.misfits(given))

    assert [each.argument for each in found] == [argument]
    assert message in found[0].message
    assert list(Driver.misfits({"api": "app.corellium.com", "token": "x", "model": "", "os": ""})) == []
