"""Secrets are hidden in every form."""

import base64
import itertools
import json
import urllib.parse

import pytest

from runner.agent.calls import ConsoleBytes
from runner.engine.journal import Journal
from runner.engine.written import secrets_in
from runner.loader import loads
from runner.masking import Masker
from runner.result import Event

SECRET = 'p@ss "wörd"/1'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
    ],
)
def test_each_form_of_a_secret_is_hidden(form: str) -> None:
    masker = Masker()
    masker.add(SECRET)

    assert "rd" not in masker.mask(f"before {form} after")


def test_nothing_is_done_without_secrets() -> None:
    assert not Masker()
    assert Masker().mask("text") == "text"


def test_bytes_keep_their_length() -> None:
    masker = Masker()
    masker.add("hunter2")

    assert masker.mask_bytes(b"login: hunter2\r\n") == b"login: *******\r\n"


def test_a_secret_of_one_or_two_characters_would_blacken_everything() -> None:
    masker = Masker()
    masker.add("a")

    assert masker.mask("banana") == "banana"


@pytest.mark.parametrize("at", range(1, 20))
def test_a_secret_that_comes_in_two_pieces_is_hidden_and_nothing_is_lost(at: int) -> None:
    said = b"x hunter2 hunt hun"
    heard = Heard()
    masker = Masker()
    masker.add("hunter2")
    journal = Journal([heard], masker)

    for start, data in ((0, said[:at]), (at, said[at:])):
        journal.console(ConsoleBytes("b", "uart", start, 0, 0, data))
    journal.close()

    assert b"".join(chunk.data for chunk in heard.chunks) == b"x ******* hunt hun"
    assert [chunk.index for chunk in heard.chunks] == list(
        itertools.accumulate((len(chunk.data) for chunk in heard.chunks[:-1]), initial=0)
    )


class Heard:
    """Keeps what a console said."""

    def __init__(self) -> None:
        self.chunks: list[ConsoleBytes] = []

    def hear(self, event: Event) -> None:
        del event

    def console(self, chunk: ConsoleBytes) -> None:
        self.chunks.append(chunk)

    def close(self) -> None:
        pass


def test_secrets_are_found_however_deep_they_are_written() -> None:
    step = loads("answers: [{send: !secret one, more: {deep: [!secret two]}}, {send: three}]", "r.yaml")

    assert sorted(secrets_in((step, {"x": [step]}))) == ["one", "one", "two", "two"]
