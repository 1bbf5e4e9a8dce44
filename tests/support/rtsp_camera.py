"""A real RTSP server (GStreamer's), whose cameras show what the test says."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PYTHON = "/usr/bin/python3"
USER, PASSWORD = "viewer", "open'%@ sesame"
SIZE = (640, 480)
Pattern = Literal["smpte", "checkers-8", "gradient"]

_IMPORTS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
Gst.init(None)
"""
_MISSING = """
names = "videotestsrc jpegenc rtpjpegpay openh264enc h264parse rtph264pay".split()
absent = [name for name in names if not Gst.ElementFactory.find(name)]
if absent:
    raise SystemExit(f"GStreamer lacks {', '.join(absent)}")
"""
_SERVE = """
import os, sys, threading

RAW = "videotestsrc is-live=true name=source ! video/x-raw,width=640,height=480,format=I420,framerate=25/1"
STREAMS = {
    "/jpeg": f"( {RAW} ! jpegenc ! rtpjpegpay name=pay0 )",
    "/h264": f"( {RAW} ! openh264enc gop-size=5 ! h264parse ! rtph264pay name=pay0 config-interval=-1 )",
}
user, password = sys.argv[1:]
sources, shown = [], ["smpte"]

def configured(_factory, media):
    source = media.get_element().get_by_name("source")
    source.set_property("pattern", shown[0])
    sources.append(source)

def factory(stream):
    made = GstRtspServer.RTSPMediaFactory.new()
    made.set_launch(stream)
    made.set_shared(True)
    made.set_latency(0)
    made.connect("media-configure", configured)
    permissions = GstRtspServer.RTSPPermissions.new()
    permissions.add_role("user")
    for each in ("access", "construct"):
        permissions.add_permission_for_role("user", f"media.factory.{each}", True)
    made.set_permissions(permissions)
    return made

def server(method):
    made = GstRtspServer.RTSPServer.new()
    made.set_address("127.0.0.1")
    made.set_service("0")
    for path, stream in STREAMS.items():
        made.get_mount_points().add_factory(path, factory(stream))
    if method:
        auth, token = GstRtspServer.RTSPAuth.new(), GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "user")
        auth.set_supported_methods(method)
        if method == GstRtsp.RTSPAuthMethod.DIGEST:
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        made.set_auth(auth)
    made.attach(None)
    return made

def obey():
    for line in sys.stdin:
        shown[0] = line.strip()
        for source in sources:
            source.set_property("pattern", shown[0])
        print("shown", flush=True)
    os._exit(0)

servers = [server(each) for each in (None, GstRtsp.RTSPAuthMethod.DIGEST, GstRtsp.RTSPAuthMethod.BASIC)]
print(*(each.get_bound_port() for each in servers), flush=True)
threading.Thread(target=obey, daemon=True).start()
GLib.MainLoop().run()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspCamera:
    """A server that is running, with the streams ``/jpeg`` and ``/h264``."""

    open: str
    """Its URL, without a path, where everybody may look."""
    digest: str
    """Where it asks for USER and PASSWORD, and takes Digest only."""
    basic: str
    """The same with Basic."""
    process: subprocess.Popen[str]

    def show(self, pattern: Pattern) -> None:
        """Show another picture."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{pattern}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "shown\n"


def missing() -> str:
    """Return why no such server can be started here, or nothing."""
    try:
        tried = subprocess.run(
            [PYTHON, "-c", _IMPORTS + _MISSING], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""


@contextlib.contextmanager
def rtsp_camera() -> Iterator[RtspCamera]:
    """Start one on free ports; it ends with its standard input."""
    with subprocess.Popen(
        [PYTHON, "-c", _IMPORTS + _SERVE, USER, PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            ports = process.stdout.readline().split()
            assert len(ports) == 3, "the RTSP server has not started"
            urls = [f"rtsp://127.0.0.1:{port}" for port in ports]
            yield RtspCamera(open=urls[0], digest=urls[1], basic=urls[2], process=process)
        finally:
            process.kill()
