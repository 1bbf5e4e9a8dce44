"""A camera's web server: the test says what it shows, and how it fails."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from PIL import Image, ImageDraw
from support.web_server import HangingUp

EVERY = 0.02
Fault = Literal["", "404", "html", "cut", "garbage", "stalled", "ends"]


def jpeg(colour: tuple[int, int, int] = (200, 30, 30), width: int = 64, height: int = 48) -> bytes:
    """Return a picture of one colour."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "JPEG", quality=95)
    return written.getvalue()


def colour_of(data: bytes) -> tuple[int, int, int]:
    """Return the colour in the middle of a picture, rounded to what JPEG keeps."""
    image = Image.open(io.BytesIO(data))
    found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    return tuple(10 * round(each / 10) for each in found)


def screen(text: str, width: int = 320, height: int = 240) -> Image.Image:
    """Return a drawn screen, with a window and a title."""
    image = Image.new("RGB", (width, height), (10, 10, 40))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width, height // 10), fill=(50, 90, 200))
    pen.rectangle((width // 5, height // 3, width * 3 // 4, height * 3 // 4), fill=(220, 220, 220))
    pen.ellipse((width * 2 // 3, height * 5 // 8, width - 20, height - 10), fill=(200, 60, 60))
    pen.text((width // 4, height // 2), text, fill=(0, 0, 0))
    return image


def encoded(image: Image.Image, form: str = "JPEG") -> bytes:
    """Return a picture as a file."""
    written = io.BytesIO()
    image.save(written, form, **({"quality": 95, "subsampling": 0} if form == "JPEG" else {}))
    return written.getvalue()


class Camera:
    """What the server answers. A picture is sent whole, so that after `show` no other one is sent."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.url = ""
        self.fault: Fault = ""
        self.ends_after = 3
        self.boundary = "frame"
        self.announced = "frame"
        self.lengths = True
        self.password = ""
        self.connections = 0
        self.asked: list[str] = []
        self.online: list[bool] = []
        """What ustreamer says in each answer; the last one stays."""
        self.ages: list[float] = []
        """How many seconds ago it took what it answers; the last one stays."""
        self.grab_header = "X-UStreamer-Grab-Timestamp"
        self.state: Any = {"result": {}}
        self._jpeg = jpeg()

    def show(self, picture: bytes) -> None:
        with self.lock:
            self._jpeg = picture

    @property
    def picture(self) -> bytes:
        return self._jpeg[: len(self._jpeg) // 2] if self.fault == "cut" else self._jpeg


@contextlib.contextmanager
def served(camera: Camera) -> Iterator[Camera]:
    """Let it answer on a free port."""
    server = HangingUp(("127.0.0.1", 0), type("Handler", (_Handler,), {"camera": camera}))
    camera.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.released.set()
        server.shutdown()
        server.server_close()
        server.end_connections()
        thread.join(30)


class _Handler(BaseHTTPRequestHandler):
    camera: Camera
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.camera.connections += 1

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def do_GET(self) -> None:
        self.camera.asked.append(self.path)
        if not self._known():
            return
        if self.camera.fault == "404":
            self._answer(404, "text/plain", b"no such camera")
        elif self.camera.fault == "html":
            self._answer(200, "text/html", b"<html>please log in</html>")
        elif self.path.startswith("/state"):
            self._answer(200, "application/json", json.dumps(self.camera.state).encode())
        elif self.path.startswith("/snapshot"):
            self._snapshot()
        else:
            self._stream()

    def _known(self) -> bool:
        said = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(f"viewer:{self.camera.password}".encode()).decode()
        if not self.camera.password or said == basic:
            return True
        self._answer(401, "text/plain", b"who are you?", **{"WWW-Authenticate": 'Basic realm="camera"'})
        return False

    def _snapshot(self) -> None:
        if self.camera.fault == "stalled":
            self.camera.released.wait()
            return
        headers = {}
        if self.camera.online:
            now = time.monotonic()
            age = self.camera.ages.pop(0) if len(self.camera.ages) > 1 else self.camera.ages[0]
            online = self.camera.online.pop(0) if len(self.camera.online) > 1 else self.camera.online[0]
            headers = {
                "X-UStreamer-Online": str(online).lower(),
                self.camera.grab_header: f"{now - age:.6f}",
                "X-UStreamer-Send-Timestamp": f"{now:.6f}",
            }
        with self.camera.lock:
            self._answer(200, "image/jpeg", self.camera.picture, **headers)

    def _stream(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={self.camera.announced}")
        self.end_headers()
        if self.camera.fault == "garbage":
            self.wfile.write(b"\r\n--frame\r\nno head" * 4096)
            return
        sent = 0
        while not self.camera.released.wait(EVERY):
            if self.camera.fault == "stalled":
                continue
            with self.camera.lock:
                self.wfile.write(self._part(self.camera.picture))
            sent += 1
            if self.camera.fault == "ends" and sent == self.camera.ends_after:
                return

    def _part(self, picture: bytes) -> bytes:
        head = f"--{self.camera.boundary}\r\nContent-Type: image/jpeg\r\n"
        head += f"Content-Length: {len(picture)}\r\n" if self.camera.lengths else ""
        return head.encode() + b"\r\n" + picture + b"\r\n"

    def _answer(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
