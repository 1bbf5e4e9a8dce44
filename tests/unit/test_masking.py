"""Secrets are hidden in every form."""

import base64
import json
import urllib.parse

import pytest

from runner.masking import Masker

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
