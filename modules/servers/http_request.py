"""Ask a web server, of a board or of an instrument."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import tempfile
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from runner.api import (
    Context,
    Duration,
    Failed,
    FilePath,
    Keep,
    LabError,
    Misfit,
    Module,
    Options,
    RecipeFault,
    Result,
    Secret,
    Size,
    TargetPath,
    arg,
)
from runner.api.json_path import at_path
from runner.modules.servers.http_client import Asked, Login, Reply, asked, translated, without_query

_IN_MEMORY = 16 * 2**20
_READ = 256 * 1024


class Auth(Options):
    """Who asks."""

    user: str = arg(help="the name")
    password: Secret = arg(help="the password", secret=True)
    scheme: Literal["basic", "digest"] = arg(default="basic", help="of RFC 7617, or 7616")


class Responded(Result):
    """The answer."""

    status: int
    headers: dict[str, str]
    """With names in small letters."""
    body: str
    """As text; of a body that was written to a file, empty."""
    json: object
    """The body as JSON; null when it is none."""
    size: Size
    sha256: str
    path: str
    """Where the body was written."""
    url: str
    """Whose answer it is, after redirects."""
    elapsed: Duration


class HttpRequest(Module):
    """Make an HTTP request from the bench's host and judge the answer.

    Another status or content than is expected fails; a server that cannot be reached is an error of
    the lab. Redirects to another origin do not get credentials.

    Example::

        - http_request: http://192.168.7.2/status
          expect: result.json.uptime > 10
        - http_request:
            url: http://192.168.7.2/config
            method: PUT
            json: {mode: test}
            auth: {user: admin, password: !env BOARD_PASSWORD, scheme: digest}
            expect_status: [200, 204]
        - http_request: {url: "http://192.168.7.2/log", dest: log.txt, expect_body: "boot [0-9]+"}
    """

    url: str = arg(primary=True, help="http:// or https://")
    method: str = arg(default="GET", help="GET, HEAD, POST, PUT, PATCH, DELETE …")
    headers: dict[str, str] = arg(default={}, help="more headers")
    body: str | None = arg(default=None, help="what is sent, as text")
    json: object = arg(default=None, help="what is sent, as JSON")
    form: dict[str, str] = arg(default={}, help="what is sent, as a form")
    file: FilePath | None = arg(default=None, help="what is sent, from a file")
    auth: Auth | None = arg(default=None, help="user and password")
    bearer: Secret | None = arg(default=None, secret=True, help="a bearer token (RFC 6750)")
    ca_cert: FilePath | None = arg(default=None, help="the authority of the server's certificate, in PEM")
    validate_certs: bool = arg(default=True, help="false takes any certificate")
    redirects: int = arg(default=10, help="how many are followed", minimum=0)
    silence: Duration = arg(default=Duration("30s"), help="how long the server may say nothing")
    expect_status: list[int] = arg(default=[200], help="the answers that are right; empty: any")
    expect_body: str = arg(default="", help="a regular expression that is found in the body")
    expect_json: dict[str, object] = arg(
        default={}, help="what JSON holds: path and value, as in {relays.0.ison: true}"
    )
    dest: TargetPath | None = arg(
        default=None, help="where the body is written on the machine that runs runner"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what cannot be asked."""
        url = str(given.get("url", "http://"))
        if not url.startswith(("http://", "https://")):
            yield Misfit("url", f"{without_query(url)!r} is no URL: write http:// or https://")
        bodies = [name for name in ("body", "json", "form", "file") if given.get(name) not in (None, {})]
        if len(bodies) > 1:
            yield Misfit(bodies[1], f"it sends one body, not {' and '.join(bodies)}")
        try:
            re.compile(str(given.get("expect_body", "")))
        except re.error as error:
            yield Misfit("expect_body", f"this is no regular expression: {error}")

    def run(self, context: Context) -> Responded:
        """Ask and judge."""
        began = time.monotonic()
        request = self._asked()
        with asked(request) as reply, tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            sha256 = self._receive(reply, file, context)
            size = file.tell()
            kept = self._keep(file, context) if reply.status in (self.expect_status or [reply.status]) else ""
            text = "" if kept and size > _IN_MEMORY else _text(file, reply)
        responded = Responded(
            status=reply.status,
            headers=dict(reply.headers),
            body="" if kept else text,
            json=_json(text),
            size=Size(size),
            sha256=sha256,
            path=kept,
            url=without_query(reply.url),
            elapsed=Duration(time.monotonic() - began),
        )
        self._judge(responded, text)
        return responded

    def _asked(self) -> Asked:
        body, kind = self._body()
        headers = {"User-Agent": "runner", "Accept-Encoding": "identity", **kind, **self.headers}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        return Asked(
            url=self.url,
            method=self.method.upper(),
            headers=headers,
            body=body,
            login=Login(self.auth.scheme, self.auth.user, self.auth.password) if self.auth else None,
            context=self._tls(),
            redirects=self.redirects,
            timeout=float(self.silence),
        )

    def _body(self) -> tuple[bytes | None, dict[str, str]]:
        if self.json is not None:
            return json.dumps(self.json).encode(), {"Content-Type": "application/json"}
        if self.form:
            encoded = urllib.parse.urlencode(self.form).encode()
            return encoded, {"Content-Type": "application/x-www-form-urlencoded"}
        if self.file:
            return Path(self.file).read_bytes(), {"Content-Type": "application/octet-stream"}
        return (
            (self.body.encode(), {"Content-Type": "text/plain; charset=utf-8"}) if self.body else (None, {})
        )

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_cert)
        except (OSError, ssl.SSLError) as error:
            raise RecipeFault(f"cannot use {str(self.ca_cert)!r} as an authority: {error}") from error
        if not self.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _receive(self, reply: Reply, file: IO[bytes], context: Context) -> str:
        """Read the body to its end; raise LabError for one that is cut off."""
        digest, shown = hashlib.sha256(), without_query(self.url)
        announced = reply.headers.get("content-length", "")
        total = int(announced) if announced.isdigit() and self.method.upper() != "HEAD" else None
        with translated(shown, float(self.silence)):
            while block := reply.body.read(_READ):
                context.check_cancelled()
                digest.update(block)
                file.write(block)
                context.progress(file.tell(), total)
        if total is not None and file.tell() != total and reply.status not in (204, 304):
            raise LabError(
                f"{shown} announced {total} bytes and sent {file.tell()}",
                evidence={"expected": total, "actual": file.tell()},
            )
        return digest.hexdigest()

    def _keep(self, file: IO[bytes], context: Context) -> str:
        if self.dest is None:
            return ""
        with tempfile.NamedTemporaryFile() as named:
            file.seek(0)
            while block := file.read(_READ):
                named.write(block)
            named.flush()
            context.artifact(Path(self.dest).name, Path(named.name), Keep(to=self.dest))
        return str(self.dest)

    def _judge(self, answer: Responded, text: str) -> None:
        shown = f"{self.method.upper()} {without_query(self.url)}"
        if self.expect_status and answer.status not in self.expect_status:
            wanted = " or ".join(map(str, self.expect_status))
            raise _unexpected(f"{shown}: status {answer.status}, expected {wanted}", text, answer)
        if self.expect_body and re.search(self.expect_body, text) is None:
            raise _unexpected(f"{shown}: nothing in the body matches {self.expect_body!r}", text, answer)
        if self.expect_json and answer.json is None:
            raise _unexpected(f"{shown}: the body is no JSON", text, answer)
        for path, value in self.expect_json.items():
            try:
                found = at_path(answer.json, path)
            except LookupError as error:
                raise _unexpected(
                    f"{shown}: {path}: {error.args[0]}, expected {value!r}", text, answer
                ) from error
            if found != value:
                raise _unexpected(f"{shown}: {path} is {found!r}, expected {value!r}", text, answer)


def _unexpected(message: str, text: str, answer: Responded) -> Failed:
    return Failed(message, evidence={"status": answer.status, "body": text[:1000]}, result=answer)


def _text(file: IO[bytes], reply: Reply) -> str:
    """Return the body as text, by the charset that the server names."""
    file.seek(0)
    raw = file.read()
    found = re.search(r"charset=\"?([\w-]+)", reply.headers.get("content-type", ""))
    try:
        return raw.decode(found[1] if found else "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
