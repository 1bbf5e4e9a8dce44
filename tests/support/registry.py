"""An OCI registry that wants a token, on a free port (OCI Distribution Specification 1.1, "Pull")."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar


class _Registry(http.server.BaseHTTPRequestHandler):
    """An OCI registry that wants a token; `blobs` are what it has."""

    blobs: ClassVar[dict[str, bytes]]
    damaged: ClassVar[bool]

    def do_GET(self) -> None:
        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path.startswith("/token?"):
            known = self.headers.get("Authorization") == "Basic bWU6cHc="
            self._answer(200 if known else 403, json.dumps({"token": "t0k"}).encode())
        elif self.headers.get("Authorization") != "Bearer t0k":
            self._answer(401, b"", f'Bearer realm="{host}/token",service="reg"')
        elif (found := self.blobs.get(self.path)) is None:
            self._answer(404, b"")
        else:
            self._answer(200, found[:-1] + b"?" if self.damaged and "/blobs/" in self.path else found)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, challenge: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def registry(folder: Path, *, damaged: bool = False) -> Iterator[str]:
    blobs, layers = {}, []
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = file.read_bytes()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        blobs[f"/v2/lab/board/blobs/{digest}"] = content
        title = {"org.opencontainers.image.title": str(file.relative_to(folder))}
        layers.append({"digest": digest, "size": len(content), "annotations": title})
    blobs["/v2/lab/board/manifests/2.1"] = json.dumps({"schemaVersion": 2, "layers": layers}).encode()
    handler = type("Registry", (_Registry,), {"blobs": blobs, "damaged": damaged})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}/lab/board"
        server.shutdown()
