"""Pulling an artifact from an OCI registry (OCI Distribution Specification 1.1, "Pull")."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from runner.api.verdicts import LabError, RecipeFault, Unreachable

_REF = re.compile(
    r"(?P<registry>[^/]+)/(?P<name>[^:@]+)(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]+))?"
)
_KINDS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_TITLE = "org.opencontainers.image.title"
_SILENCE = 60.0
_READ = 2**20


class Login(NamedTuple):
    """Who pulls."""

    user: str
    password: str


def pull(
    ref: str,
    folder: Path,
    login: Login | None,
    ca_cert: str | None,
    plain_http: bool,
    advance: Callable[[int, int | None], None],
    only: str | None = None,
) -> str:
    """Write each file of an artifact into `folder`, checked by its digest; return the manifest's digest.

    `advance` is told how far each file is, and of how many bytes; what it raises ends it all. `only`:
    the name of the one file that is wanted; empty: the artifact's only one. Raise RecipeFault for a
    reference that makes no sense or is not there, LabError for what a registry refuses or sends
    damaged, Unreachable when it does not answer.
    """
    found = _REF.fullmatch(ref)
    if found is None:
        raise RecipeFault(f"{ref!r} is no reference: write registry/name:tag")
    scheme = "http" if plain_http else "https"
    registry = _Registry(f"{scheme}://{found['registry']}", found["name"], login, ca_cert)
    wanted = found["digest"] or found["tag"] or "latest"
    with registry.answer(f"manifests/{wanted}", _KINDS) as answer:
        content = answer.read()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found["digest"] and digest != found["digest"]:
        raise LabError(f"{ref}: the registry sent a manifest with the digest {digest}")
    layers = _layers(content, ref)
    for layer in layers if only is None else [_one(layers, only, ref)]:
        _fetch(registry, layer, folder, advance)
    return digest


class _Registry:
    """One repository of a registry, with a token once it wants one."""

    def __init__(self, base: str, name: str, login: Login | None, ca_cert: str | None) -> None:
        self._base = f"{base}/v2/{name}/"
        self._name = name
        self._login = login
        self._context = ssl.create_default_context(cafile=ca_cert)
        self._authorization = ""

    @contextmanager
    def answer(self, path: str, kinds: str = "*/*") -> Iterator[IO[bytes]]:
        """Give the body of an answer; ask for a token when that is needed, once."""
        url = self._base + path
        with _translated(url):
            try:
                answer = self._ask(url, kinds, self._authorization)
            except urllib.error.HTTPError as error:
                if error.code != 401 or self._authorization:
                    raise
                error.close()
                self._authorization = self._authorize(error.headers.get("WWW-Authenticate", ""))
                answer = self._ask(url, kinds, self._authorization)
            with answer:
                yield answer

    def _ask(self, url: str, kinds: str, authorization: str) -> IO[bytes]:
        request = urllib.request.Request(url, headers={"Accept": kinds})  # noqa: S310 - http or https
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        return cast(
            "IO[bytes]",
            urllib.request.urlopen(request, timeout=_SILENCE, context=self._context),  # noqa: S310
        )

    def _authorize(self, challenge: str) -> str:
        """Answer a challenge: with a token of the server that it names, or with the password itself."""
        basic = ""
        if self._login is not None:
            both = f"{self._login.user}:{self._login.password}".encode()
            basic = f"Basic {base64.b64encode(both).decode()}"
        if not challenge.lower().startswith("bearer "):
            return basic
        told = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = {"service": told.get("service", ""), "scope": f"repository:{self._name}:pull"}
        url = f"{told.get('realm', '')}?{urllib.parse.urlencode(query)}"
        if not url.startswith(("https://", "http://")):
            raise LabError(f"the registry names no server for tokens: {challenge}")
        with self._ask(url, "application/json", basic) as answer:
            document = json.load(answer)
        return f"Bearer {document.get('token') or document.get('access_token')}"


def _layers(content: bytes, ref: str) -> list[Mapping[str, Any]]:
    try:
        layers: list[Mapping[str, Any]] = json.loads(content)["layers"]
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(f"{ref} is not the manifest of an artifact") from error
    return layers


def _one(layers: list[Mapping[str, Any]], wanted: str, ref: str) -> Mapping[str, Any]:
    fitting = [each for each in layers if not wanted or _name(each) == wanted]
    if len(fitting) == 1:
        return fitting[0]
    raise RecipeFault(
        f"{ref} has no file {wanted!r}" if wanted else f"{ref} has {len(layers)} files: say which one",
        hint=f"it has: {', '.join(map(_name, layers)) or 'none'}",
    )


def _name(layer: Mapping[str, Any]) -> str:
    return str((layer.get("annotations") or {}).get(_TITLE) or str(layer["digest"]).partition(":")[2])


def _fetch(
    registry: _Registry, layer: Mapping[str, Any], folder: Path, advance: Callable[[int, int | None], None]
) -> None:
    digest = str(layer["digest"])
    name = PurePosixPath(_name(layer))
    if name.is_absolute() or ".." in name.parts:
        raise LabError(f"the artifact has a file that leads out of its folder: {str(name)!r}")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    summed, done = hashlib.sha256(), 0
    with registry.answer(f"blobs/{digest}") as body, path.open("wb") as file:
        while block := body.read(_READ):
            file.write(block)
            summed.update(block)
            done += len(block)
            advance(done, layer.get("size"))
    if f"sha256:{summed.hexdigest()}" != digest:
        raise LabError(
            f"{name} did not arrive as the registry has it: {done} bytes with another digest",
            evidence={"expected": digest, "actual": f"sha256:{summed.hexdigest()}"},
        )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            raise RecipeFault(f"the registry does not have {url}") from error
        hint = "'user' and 'password' say who pulls" if error.code in (401, 403) else ""
        raise LabError(f"the registry answers {error.code} {error.reason}: {url}", hint=hint) from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise Unreachable(f"cannot reach {url}: {getattr(error, 'reason', error)}") from error
    except (http.client.HTTPException, ConnectionError) as error:
        raise LabError(f"the registry broke off: {url}: {error}") from error
