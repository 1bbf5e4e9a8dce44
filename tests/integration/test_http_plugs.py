"""The driver `http` and emulated plugs: who may come in, what is sent, and what goes wrong."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.mosquitto import make_certificates
from support.web_plugs import (
    PASSWORD,
    USER,
    PlainPlug,
    Reply,
    ShellyGen1,
    ShellyGen2,
    TasmotaWeb,
    WebPlug,
    served,
)

from runner.api import Duration, LabError, PowerReading, Secret, Unreachable
from runner.api.digest import challenges, digest
from runner.modules.power.http import Http
from runner.modules.power.http_requests import ReadRequest, Request, StateRequest

PRESETS = {"shelly_gen1": ShellyGen1, "shelly_gen2": ShellyGen2, "tasmota": TasmotaWeb}
KNOWN = {"user": USER, "password": Secret(PASSWORD)}
Driven = Callable[..., Http]


@pytest.fixture
def driven() -> Iterator[Driven]:
    with ExitStack() as stack:

        def made(plug: WebPlug, trust: ssl.SSLContext | None = None, **options: Any) -> Http:
            stack.enter_context(served(plug, trust))
            driver = Http(**{"url": plug.url, "limit": Duration("60s"), **options})
            driver.open()
            stack.callback(driver.close)
            return driver

        yield made


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_switches_reads_back_and_measures(preset: Any, driven: Driven) -> None:
    plug = PRESETS[preset]()
    power = driven(plug, preset=preset, outlet=2, **KNOWN)

    assert power.state() == "off"
    power.on()
    assert power.state() == "on"
    reading = power.read()
    assert reading is not None
    assert (reading.power or 0) > 0
    power.off()

    assert power.state() == "off"
    assert len({request.connection for request in plug.requests}) == 1


@pytest.mark.parametrize("relays", [1, 4])
def test_a_tasmota_plug_calls_its_first_relay_as_it_likes(relays: int, driven: Driven) -> None:
    power = driven(TasmotaWeb(relays), preset="tasmota", **KNOWN)
    power.on()

    assert power.state() == "on"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_wrong_password_is_named_and_not_said(preset: Any, driven: Driven) -> None:
    plug = PRESETS[preset]()
    power = driven(plug, preset=preset, user=USER, password=Secret("guessed"))

    with pytest.raises(LabError, match=r"^http://127.0.0.1:\d+ refuses .*: 401 Unauthorized") as caught:
        power.on()
    assert "guessed" not in f"{caught.value} {caught.value.evidence}"
    assert not any(plug.relays)


@pytest.mark.parametrize("preset", ["shelly_gen1", "shelly_gen2"])
def test_a_plug_that_asks_who_comes_is_named(preset: Any, driven: Driven) -> None:
    with pytest.raises(
        LabError, match=r"refuses who does not say who it is: 401 .*\(it asks for (Basic|Digest)"
    ):
        driven(PRESETS[preset](), preset=preset).on()


@pytest.mark.parametrize("auth", ["basic", "MD5", "SHA-256"])
def test_who_we_are_is_said_once_for_each_request_after_the_first(auth: str, driven: Driven) -> None:
    plug = ShellyGen1()
    plug.auth = auth
    power = driven(plug, preset="shelly_gen1", **KNOWN)
    for _ in range(3):
        power.on()

    assert plug.said == [("GET", "/relay/0?turn=on", b"")] * 3
    assert len(plug.nonces) <= 1


def test_a_nonce_that_is_too_old_is_replaced(driven: Driven) -> None:
    plug = ShellyGen2()
    power = driven(plug, preset="shelly_gen2", **KNOWN)
    power.on()
    plug.nonces.append("another")
    power.off()

    assert len(plug.said) == 2


def test_a_digest_only_user_does_not_say_the_password_in_plain_words(driven: Driven) -> None:
    plug = ShellyGen1()
    with pytest.raises(LabError, match=r"it asks for Basic"):
        driven(plug, preset="shelly_gen1", auth="digest", **KNOWN).on()
    assert not plug.requests


def test_any_rest_plug_can_be_described(driven: Driven) -> None:
    plug = PlainPlug()
    power = driven(
        plug,
        turn_on=Request(path="/outlet/1", method="PUT", json={"on": True}, headers={"X-Key": "k"}),
        turn_off=Request(path="/outlet/1", method="PUT", json={"on": False}),
        tell_state=StateRequest(path="/outlet/1", value="relay.0.word", on_value="closed", off_value="open"),
        tell_reading=ReadRequest(path="/outlet/1", voltage="volts"),
    )
    power.on()
    assert power.state() == "on"
    assert power.read() == PowerReading(voltage=12.1)
    power.off()

    assert power.state() == "off"
    assert plug.said[0] == ("PUT", "/outlet/1", b'{"on": true}')
    assert plug.requests[0].headers["X-Key"] == "k"
    assert plug.requests[0].headers["Content-Type"] == "application/json"


def test_a_form_and_a_state_in_plain_words_are_possible(driven: Driven) -> None:
    plug = PlainPlug()
    power = driven(
        plug,
        turn_on=Request(path="/form", form={"state": "1"}, answers="done"),
        turn_off=Request(path="/form", form={"state": "0"}),
        tell_state=StateRequest(path="/text"),
    )
    power.on()

    assert power.state() == "on"
    assert plug.said[0] == ("POST", "/form", b"state=1")
    assert power.read() is None


def test_a_plug_that_ends_each_connection_is_connected_to_again(driven: Driven) -> None:
    plug = ShellyGen1()
    plug.close_each = True
    power = driven(plug, preset="shelly_gen1", **KNOWN)
    power.on()

    assert power.state() == "on"


WRONG = {
    "an error of the server": (Reply(500, "out of memory"), r"answers 500 .*, expected 2xx: 'out of memory'"),
    "another place": (Reply(302, headers={"Location": "/login"}), r"answers 302 Found, expected 2xx"),
    "no JSON": (Reply(text="<html>"), r"answers what '<html>' is no JSON"),
    "nothing at the path": (Reply(text='{"output": true}'), r"answers with no 'ison': there is 'output'"),
    "neither on nor off": (Reply(text='{"ison": "maybe"}'), r"tells 'maybe', which is neither on nor off"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_is_one_clear_error(wrong: str, driven: Driven) -> None:
    plug = ShellyGen1()
    power = driven(plug, preset="shelly_gen1", **KNOWN)
    plug.answers, message = WRONG[wrong]

    with pytest.raises(LabError, match=rf"^http://127.0.0.1:\d+/relay/0 {message}"):
        power.state()


def test_a_relay_that_a_shelly_does_not_have_is_named(driven: Driven) -> None:
    with pytest.raises(LabError, match=r"Switch.Set\?id=7&on=true answers 500 .*value 7 not found!"):
        driven(ShellyGen2(), preset="shelly_gen2", outlet=7, **KNOWN).on()


def test_a_relay_that_a_tasmota_plug_does_not_have_is_named(driven: Driven) -> None:
    power = driven(TasmotaWeb(1), preset="tasmota", outlet=2, **KNOWN)

    with pytest.raises(LabError, match=r"/cm\?cmnd=Power2%20On answers .*Unknown.*, expected ") as caught:
        power.on()
    assert "pass" not in f"{caught.value} {caught.value.evidence}"


def test_a_meter_that_says_no_number_is_an_error_and_one_that_is_not_there_is_none(driven: Driven) -> None:
    plug = ShellyGen2()
    power = driven(plug, preset="shelly_gen2", **KNOWN)
    plug.answers = Reply(text='{"output": true}')
    assert power.read() is None
    plug.answers = Reply(text='{"apower": "much"}')

    with pytest.raises(LabError, match="tells 'much' at 'apower', which is no number"):
        power.read()


def test_a_measured_value_that_is_missing_is_an_error_where_it_was_promised(driven: Driven) -> None:
    power = driven(
        PlainPlug(),
        turn_on=Request(path="/1"),
        turn_off=Request(path="/1"),
        tell_reading=ReadRequest(path="/outlet/0", power="watts"),
    )

    with pytest.raises(LabError, match="/outlet/0 answers with no 'watts': there is 'relay', 'volts'"):
        power.read()


def test_a_silent_plug_is_given_up_when_its_limit_is_over(driven: Driven) -> None:
    plug = ShellyGen1()
    plug.silent = True

    with pytest.raises(Unreachable, match=r"/relay/0\?turn=on did not answer within 200ms"):
        driven(plug, preset="shelly_gen1", limit=Duration("200ms")).on()


def test_an_address_where_nobody_listens_is_named() -> None:
    driver = Http(url="http://127.0.0.1:1", preset="shelly_gen1")
    driver.open()

    with pytest.raises(Unreachable, match="http://127.0.0.1:1 cannot be reached: Connection refused"):
        driver.on()


def test_something_else_than_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        driver = Http(url=f"http://127.0.0.1:{listener.getsockname()[1]}", preset="shelly_gen1")
        driver.open()
        with pytest.raises(LabError, match="does not speak HTTP: BadStatusLine"):
            driver.on()
        thread.join(30)


@pytest.mark.peer("mosquitto")
def test_certificates_are_looked_at(driven: Driven, tmp_path: Path) -> None:
    make_certificates(tmp_path, "server")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    plug = ShellyGen2()
    trusting = driven(plug, trust, preset="shelly_gen2", ca=str(tmp_path / "ca.pem"), **KNOWN)
    trusting.on()
    careless = Http(url=plug.url, preset="shelly_gen2", insecure=True, **KNOWN)
    careless.open()
    assert careless.state() == "on"
    careless.close()

    careful = Http(url=plug.url, preset="shelly_gen2", **KNOWN)
    careful.open()
    with pytest.raises(LabError, match="shows a certificate that is not trusted"):
        careful.on()


def test_the_strongest_challenge_is_answered() -> None:
    asked = challenges(
        [
            'Digest realm="a", nonce="1", algorithm=MD5, qop="auth"',
            'Digest realm="a", nonce="1", algorithm=SHA-256',
            'Basic realm="a"',
            'Digest realm="a", nonce="1", qop="auth-int"',
            "Negotiate",
        ]
    )

    assert [(each.scheme, each.algorithm) for each in asked if each.answerable] == [
        ("digest", "SHA-256"),
        ("digest", "MD5"),
        ("basic", "MD5"),
    ]


def test_the_example_of_the_standard_comes_out_with_md5_too() -> None:
    """RFC 7616, section 3.9.1."""
    nonce, cnonce = (
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    header = f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="{nonce}"'
    asked = challenges([header])[0]

    said = digest(asked, "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, cnonce)

    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in said


def test_an_endless_answer_is_given_up(driven: Driven) -> None:
    plug = ShellyGen1()
    plug.answers = Reply(text="x" * ((1 << 20) + 1))

    with pytest.raises(LabError, match="answers more than 1048576 bytes"):
        driven(plug, preset="shelly_gen1", **KNOWN).state()
