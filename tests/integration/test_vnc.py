"""Screens over VNC: QEMU's real server, and servers that are none."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from support.command import wait_until
from support.context import StepContext
from support.machines import READY, Line, line, machine, typist

from runner.api import Duration, LabError, Secret, Unreachable, Unsupported
from runner.modules.machine.options import Screen
from runner.modules.machine.qemu import Qemu
from runner.modules.machine.vm_screendump import VmScreendump
from runner.modules.vnc.page import Page
from runner.modules.vnc.vnc import Vnc
from runner.modules.vnc.vnc_screenshot import VncScreenshot
from runner.modules.vnc.vnc_send_key import VncSendKey
from runner.modules.vnc.vnc_url import VncUrl

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.peer("qemu pc")


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Qemu, Line]]:
    """A machine with a screen that shows the keys it is given, and says them on its serial port."""
    arguments = typist(tmp_path_factory.mktemp("typist"))
    with machine(arguments=arguments, screen=Screen()) as pc, line(pc) as serial:
        pc.start()
        serial.wait_for(READY)
        yield pc, serial


@pytest.fixture
def pc(typed: tuple[Qemu, Line]) -> Qemu:
    return typed[0]


@contextlib.contextmanager
def opened(**options: object) -> Iterator[Vnc]:
    made = Vnc(**options)
    made.open()
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[Vnc]:
    """Listen, and do that to whoever connects first."""
    listener = socket.create_server(("127.0.0.1", 0))

    def once() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):  # whoever has enough closes, at any moment
            serve(connection)

    thread = threading.Thread(target=once, daemon=True)
    thread.start()
    with opened(host="127.0.0.1", port=listener.getsockname()[1]) as driver:
        yield driver
    thread.join(60)
    listener.close()


def shoot(display: object, timeout: str = "60s") -> tuple[StepContext, VncScreenshot]:
    return StepContext(display="screen"), VncScreenshot(display=display, timeout=Duration(timeout))


def test_the_picture_is_what_the_machine_itself_shows(pc: Qemu) -> None:
    """The guest is halted, so that no cursor blinks between the two."""
    pc.pause()
    try:
        context, module = shoot(pc.vnc())
        shot = module.run(context)
        dumped = VmScreendump(vm=pc).run(context)
        expected = pc.screendump()
    finally:
        pc.start()

    assert (shot.width, shot.height, shot.colours) == (dumped.width, dumped.height, dumped.colours)
    assert shot.colours > 1
    assert context.artifacts["screen.png"] == expected.png()


@pytest.mark.parametrize(
    ("keys", "text", "heard"),
    [
        (["x", "shift+y", "enter"], "", b"xY\r"),
        ([], 'Hi, "Yo"~1', b'Hi, "Yo"~1'),
        ("Tab", "", b"\t"),
        ("Q", "", b"Q"),
        ("ctrl+J", "", b"\n"),
    ],
)
def test_keys_and_texts_arrive_as_they_are_typed(
    typed: tuple[Qemu, Line], keys: str | list[str], text: str, heard: bytes
) -> None:
    pc, serial = typed
    serial.heard = b""
    sent = VncSendKey(keys=keys, text=text, display=pc.vnc()).run(StepContext())
    serial.wait_for(heard)

    assert serial.heard == heard
    assert sent.pressed == len(heard)


def test_a_machine_that_was_switched_off_and_on_is_connected_to_again() -> None:
    with machine(screen=Screen()) as pc:
        context, module = shoot(pc.vnc())
        with pytest.raises(LabError, match="the machine is off"):
            module.run(context)
        pc.start()
        assert module.run(context).width > 0
        pc.stop()
        pc.start()
        assert module.run(context).width > 0


def test_a_machine_without_a_screen_has_no_vnc() -> None:
    with machine() as pc:
        pc.start()
        context, module = shoot(pc.vnc())
        with pytest.raises(Unsupported, match="no VNC server"):
            module.run(context)


def test_a_password_opens_what_no_password_and_a_wrong_one_do_not(tmp_path: Path) -> None:
    path = str(tmp_path / "vnc")
    secret = ["-object", "secret,id=pw,data=swordfi1", "-vnc", f"unix:{path},password-secret=pw"]
    with machine(arguments=["-device", "VGA", *secret]) as pc:
        pc.start()
        with opened(path=path, password=Secret("swordfi1")) as right:
            context, module = shoot(right)
            assert module.run(context).width > 0
        for password, why in (
            ("", "wants a password"),
            ("nothing", "does not let us in: Authentication failed"),
        ):
            with opened(path=path, password=Secret(password)) as wrong:
                context, module = shoot(wrong)
                with pytest.raises(LabError, match=why):
                    module.run(context)


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    with opened(path=str(tmp_path / "none")) as driver:
        context, module = shoot(driver)
        with pytest.raises(Unreachable, match="No such file"):
            module.run(context)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "this is no VNC server"),
        (b"RFB 003.008\n\0\0\0\0\x08too many", "refuses: too many"),
        (b"RFB 003.008\n\x02\x13\x14", r"offers the security types \[19, 20\]"),
        (b"RFB 003.008\n", "has closed the connection"),
        (b"RFB 003.008\n\1\1\0\0\0\0" + bytes(20) + b"\xff\xff\xff\xff", "announces 4294967295 bytes"),
    ],
)
def test_what_is_no_vnc_server_or_does_not_want_us_is_told(said: bytes, why: str) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    with serving(say) as driver:
        context, module = shoot(driver)
        with pytest.raises(LabError, match=why):
            module.run(context)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with serving(
        lambda connection: wait_until(lambda: not connection.recv(4096), "the client goes")
    ) as driver:
        context, module = shoot(driver, "200ms")
        with pytest.raises(Unreachable, match="not answered within 0.2s"):
            module.run(context)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("not for the page", encoding="utf-8")
    folder = tmp_path / "novnc"
    (folder / "core").mkdir(parents=True)
    (folder / "vnc.html").write_text("<title>noVNC</title>", encoding="utf-8")
    (folder / "core/rfb.js").write_text("export default 1;", encoding="utf-8")
    return folder


@contextlib.contextmanager
def shown(driver: Vnc, files: Path) -> Iterator[str]:
    """Serve the page; return ``host:port``."""
    served = VncUrl(files=str(files), display=driver).run(StepContext())
    assert VncUrl(files=str(files), display=driver).run(StepContext()) == served
    yield urlsplit(served.url).netloc


def get(where: str, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(where, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()


def test_the_page_and_its_scripts_are_served_and_nothing_beside_them(pc: Qemu, files: Path) -> None:
    with opened(path=pc.info().vnc) as driver, shown(driver, files) as where:
        assert get(where, "/vnc.html?autoconnect=1") == (200, "text/html", b"<title>noVNC</title>")
        status, kind, body = get(where, "/core/rfb.js")
        assert (status, kind.rpartition("/")[2], body) == (200, "javascript", b"export default 1;")
        assert get(where, "/../secret")[0] == 404
        assert get(where, "/%2e%2e/secret")[0] == 404


def hear(browser: ClientConnection, wanted: bytes) -> None:
    """Receive this, in however many messages."""
    heard = b""
    while len(heard) < len(wanted):
        message = browser.recv(timeout=60)
        assert isinstance(message, bytes)
        heard += message
    assert heard == wanted


def test_the_bridge_leads_to_the_real_server_and_back(pc: Qemu, files: Path) -> None:
    from websockets.sync.client import connect

    def clients() -> int:
        return len(pc.monitor("query-vnc", {})["clients"])  # type: ignore[index,call-overload,arg-type]

    before = clients()
    with opened(path=pc.info().vnc) as driver, shown(driver, files) as where:
        with connect(f"ws://{where}/websockify", subprotocols=["binary"]) as browser:  # type: ignore[list-item]
            assert browser.subprotocol == "binary"
            hear(browser, b"RFB 003.008\n")
            browser.send(b"RFB 003.008\n")
            hear(browser, b"\1\1")
            browser.send(b"\1")
            hear(browser, bytes(4))
            assert clients() == before + 1
        wait_until(lambda: clients() == before, "the server has lost its client")


def test_nothing_of_the_websocket_reaches_the_server(files: Path) -> None:
    from websockets.sync.client import connect

    heard = bytearray()

    def listen(connection: socket.socket) -> None:
        connection.sendall(b"RFB 003.008\n")
        while data := connection.recv(4096):
            heard.extend(data)

    with serving(listen) as driver, shown(driver, files) as where:
        with connect(f"ws://{where}/websockify") as browser:
            hear(browser, b"RFB 003.008\n")
            browser.ping()
            browser.send(b"RFB 003.008\n")
        assert isinstance(driver.page, Page)
    assert bytes(heard) == b"RFB 003.008\n"


def test_closing_the_driver_ends_the_browsers_connections(pc: Qemu, files: Path) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with contextlib.ExitStack() as stack:
        driver = stack.enter_context(opened(path=pc.info().vnc))
        where = stack.enter_context(shown(driver, files))
        browser = stack.enter_context(connect(f"ws://{where}/websockify", close_timeout=1))
        hear(browser, b"RFB 003.008\n")
        driver.close()
        with pytest.raises(ConnectionClosed):
            browser.recv(timeout=60)
        with pytest.raises(OSError, match="refused"):
            get(where, "/vnc.html")


def test_closing_does_not_wait_for_a_connection_on_which_nothing_is_asked_for(pc: Qemu, files: Path) -> None:
    """Browsers make such ones ahead of need; the server would wait 10 s for what is to be asked."""
    with contextlib.ExitStack() as stack:
        driver = stack.enter_context(opened(path=pc.info().vnc))
        host, _, port = stack.enter_context(shown(driver, files)).rpartition(":")
        silent = stack.enter_context(socket.create_connection((host, int(port)), 60))
        page = driver.page
        assert isinstance(page, Page)
        wait_until(lambda: len(page._made) == 1, "it is accepted")
        started = time.monotonic()
        driver.close()
        assert time.monotonic() - started < 8
        assert silent.recv(1) == b""


def test_a_server_that_is_not_there_is_told_to_the_browser(tmp_path: Path, files: Path) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with (
        opened(path=str(tmp_path / "none")) as driver,
        shown(driver, files) as where,
        connect(f"ws://{where}/websockify") as browser,
        pytest.raises(ConnectionClosed, match="No such file"),
    ):
        browser.recv(timeout=60)


def test_the_page_of_somebody_else_may_not_connect(pc: Qemu, files: Path) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with opened(path=pc.info().vnc) as driver, shown(driver, files) as where:
        with (
            pytest.raises(InvalidStatus, match="403"),
            connect(
                f"ws://{where}/websockify",
                origin="http://evil.example",  # type: ignore[arg-type]
            ),
        ):
            pass
        with connect(f"ws://{where}/websockify", origin=f"http://{where}"):  # type: ignore[arg-type]
            pass


def test_a_name_of_somebody_else_that_leads_here_gets_nothing(pc: Qemu, files: Path) -> None:
    with opened(path=pc.info().vnc) as driver, shown(driver, files) as where:
        connection = http.client.HTTPConnection(where, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/websockify", headers={"Host": "evil.example:80"})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (
                403,
                b"evil.example:80 is not known here: write the address in numbers\n",
            )


def test_a_host_without_novnc_says_what_to_install(pc: Qemu, tmp_path: Path) -> None:
    with opened(path=pc.info().vnc) as driver, pytest.raises(Unsupported, match="no noVNC on the host"):
        VncUrl(files=str(tmp_path), display=driver).run(StepContext())
