"""Requests to Corellium's REST API ("Corellium API" 7.3, at /api/docs of every installation)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from runner.api import LabError, Secret, Unreachable
from runner.api.json_path import parsed, shown
from runner.api.web import Answer, Web
from runner.modules.corellium.patience import Patience

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_MARGIN = 0.05
"""Seconds that are waited beyond Retry-After: it is in whole seconds."""


class Api:
    """The API at one address; its requests are made one after the other, from any thread.

    The token goes to this address and nowhere else: no redirection is followed.
    """

    def __init__(self, web: Web, token: Secret) -> None:
        """Take the server and the token; nothing is asked yet."""
        self._web = web
        self._token = token
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """The address, for messages."""
        return f"{self._web.url}/api"

    def get(self, path: str, patience: Patience) -> Any:
        """Return what JSON the API answers; raise LabError for everything else."""
        answer = self._answer("GET", path, patience, None)
        try:
            return parsed(answer.body)
        except ValueError as error:
            raise LabError(
                f"{self.url}{path} answers {answer.status}, but {error}",
                evidence={"url": self.url + path, "answer": answer.text[:1000]},
                hint="is 'api' the address of Corellium's API, as https://app.corellium.com?",
            ) from error

    def find(self, path: str, patience: Patience) -> Any | None:
        """Return what JSON the API answers; None when it answers that there is no such thing."""
        try:
            return self.get(path, patience)
        except Missing:
            return None

    def fetch(self, path: str, patience: Patience) -> bytes:
        """Return the content of a picture."""
        return self._answer("GET", path, patience, None, accept="image/png").body

    def order(self, method: str, path: str, patience: Patience, body: Mapping[str, Any] | None = None) -> str:
        """Have something changed; return the text of the answer, which may be empty."""
        return self._answer(method, path, patience, body).text

    def abort(self) -> None:
        """Have the request that is under way end with an error."""
        self._web.abort()

    def close(self) -> None:
        """End the connection."""
        self._web.close()

    def _answer(
        self,
        method: str,
        path: str,
        patience: Patience,
        body: Mapping[str, Any] | None,
        accept: str = "application/json",
    ) -> Answer:
        """Ask, and again when the API says when (RFC 9110, 10.2.3) and that is soon enough."""
        while True:
            answer = self._exchange(method, f"/api{path}", body, accept)
            pause = _asked_to_wait(answer)
            if pause is None or pause >= patience.left:
                return self._judged(answer, path)
            patience.wait(pause + _MARGIN)

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None, accept: str) -> Answer:
        headers = {"Authorization": f"Bearer {str(self._token).strip()}", "Accept": accept}
        data = None if body is None else json.dumps(body).encode()
        with self._turn:
            return self._web.exchange(
                method, path, headers | ({"Content-Type": "application/json"} if data else {}), data
            )

    def _judged(self, answer: Answer, path: str) -> Answer:
        """Return a good answer; raise what another one means."""
        if 200 <= answer.status < 300:
            return answer
        where, said = f"{self.url}{path}", _said(answer)
        evidence = {"url": where, "status": answer.status, "answer": answer.text[:1000]}
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise LabError(
                f"{where} refuses the token: {said}",
                evidence=evidence,
                hint="is 'token' an API token of this installation, and may its owner do that?",
            )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Missing(f"{where} answers {said}", evidence=evidence, hint=_ELSEWHERE)
        if 300 <= answer.status < 400:
            there = _without_query(answer.headers.get("location", ""))
            raise LabError(
                f"{where} leads elsewhere, to {there!r}: {said}",
                evidence=evidence,
                hint="name that address with 'api': the token is sent to no other",
            )
        kind = Unreachable if answer.status in _AWAY else LabError
        raise kind(f"{where} answers {said}", evidence=evidence, hint=_hint(answer))


_ELSEWHERE = "is 'api' right?"


class Missing(LabError):
    """The API answers that there is no such thing."""


def _hint(answer: Answer) -> str:
    if answer.status in _BUSY:
        after = answer.headers.get("retry-after", "")
        again = f"it says to ask again in {after} s; " if after else ""
        return f"{again}a longer 'poll_interval' asks less often, a longer 'patience' waits longer"
    return ""


def _asked_to_wait(answer: Answer) -> float | None:
    """Return the seconds that a busy API wants us to wait; None when it does not say that."""
    said = answer.headers.get("retry-after", "")
    return float(said) if answer.status in _BUSY and said.isascii() and said.isdigit() else None


def _said(answer: Answer) -> str:
    """Return status and words of an answer: its `error` and `errorID` where it has them."""
    status = f"{answer.status} {answer.reason}".strip()
    try:
        found = parsed(answer.body)
    except ValueError:
        return f"{status}: {shown(answer.text)}" if answer.text else status
    if not isinstance(found, Mapping) or not found.get("error"):
        return f"{status}: {shown(answer.text)}"
    identifier = f" ({found['errorID']})" if found.get("errorID") else ""
    return f"{status}: {found['error']}{identifier}"


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path
