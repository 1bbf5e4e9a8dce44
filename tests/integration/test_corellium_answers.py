"""What the API of Corellium answers wrongly, and what an inventory says wrongly: each is one clear error."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from support.corellium import PROJECT, TOKEN, Corellium, Reply, served
from support.corellium_driver import Driven
from support.mosquitto import make_certificates
from support.nobody import refusing_tcp

from runner.api import Duration, LabError, Secret, Unreachable
from runner.modules.corellium.corellium import Corellium as Driver

pytestmark = pytest.mark.peer("bash")


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
    reply: Reply, message: str, corellium: Corellium, driven: Driven
) -> None:
    corellium.next_replies = [reply]

    with pytest.raises(LabError, match=message) as caught:
        driven()
    assert corellium.url in caught.value.message
    assert TOKEN not in f"{caught.value} {caught.value.hint} {caught.value.evidence}"
    assert isinstance(caught.value, Unreachable) == (reply.status == 503)
    assert len(corellium.asked) == 1


def test_the_token_is_sent_to_nobody_else(corellium: Corellium, driven: Driven) -> None:
    with served(Corellium()) as other:
        corellium.next_replies = [Reply(307, "", {"Location": f"{other.url}/api/v1/projects"})]
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


def test_a_busy_api_is_asked_again_when_it_says(corellium: Corellium, driven: Driven) -> None:
    corellium.next_replies = [
        Reply(503, {"error": "busy"}, {"Retry-After": "0"}),
        Reply(429, "", {"Retry-After": "0"}),
    ]

    assert driven().state() == "absent"
    assert [each.path for each in corellium.asked][:3] == ["/api/v1/projects"] * 3


def test_an_api_that_is_busy_for_too_long_is_not_waited_for(corellium: Corellium, driven: Driven) -> None:
    corellium.next_replies = [Reply(429, {"error": "slow down"}, {"Retry-After": "3600"})]

    with pytest.raises(LabError, match="429 .*slow down") as caught:
        driven()
    assert "ask again in 3600 s" in caught.value.hint


def test_a_refused_order_is_told_with_the_words_of_the_api(corellium: Corellium, driven: Driven) -> None:
    with pytest.raises(LabError, match=r"answers 400 Bad Request: Unsupported OS version 9\.9 \(UserError\)"):
        driven(os="9.9").start()
    assert corellium.instances == {}


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
    options: dict[str, str], message: str, hint: str, corellium: Corellium, driven: Driven
) -> None:
    with pytest.raises(LabError, match=message) as caught:
        driven(**options)
    assert caught.value.hint == hint
    assert corellium.lines == []


def test_a_model_and_a_project_may_be_named_by_flavor_and_id(corellium: Corellium, driven: Driven) -> None:
    driven(model="kronos", project=PROJECT).start()

    assert [each.flavor for each in corellium.instances.values()] == ["kronos"]


def test_one_name_for_two_devices_is_refused_and_the_id_does(corellium: Corellium, driven: Driven) -> None:
    one, other = corellium.add("nightly"), corellium.add("nightly", "on")
    elsewhere = corellium.add("lonely", project="another project")

    with pytest.raises(LabError, match="2 instances of project 'Default Project' are called 'nightly'"):
        driven().state()
    assert driven(name=other.id, model="", os="").state() == "running"
    assert driven(name=one.id).state() == "stopped"
    with pytest.raises(LabError, match="the inventory does not say what to make"):
        driven(name=elsewhere.name, model="", os="").start()


def test_an_api_that_does_not_answer_in_time_names_the_limit(corellium: Corellium, driven: Driven) -> None:
    corellium.silent = True

    with pytest.raises(Unreachable, match="/api/v1/projects did not answer within 200ms"):
        driven(limit=Duration("200ms"))


def test_nobody_there_is_unreachable(driven: Driven) -> None:
    with (
        refusing_tcp() as port,
        pytest.raises(Unreachable, match=f"https://127.0.0.1:{port} cannot be reached: Connection refused"),
    ):
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
