"""The recipe that writes a board's disk over its network, played once as a person plays it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import random
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.command import runner
from support.mosquitto import make_certificates
from support.peers import ROOT, UBOOT
from support.reports import Report

LAB = f"""
benches:
  qemu-flash:
    devices:
      board: {{driver: qemu, bios: {UBOOT}, memory: 512MiB, disk: {{path: disk, capacity: 1MiB}}}}
      tftp: {{driver: tftp_server, bind: ADDRESS}}
      http: {{driver: http_server, bind: 127.0.0.1, advertise: 10.0.2.2}}
"""


@pytest.mark.peer("guest", "port 69")
def test_the_image_is_on_the_disk_in_the_end(tmp_path: Path) -> None:
    address = f"127.69.{random.randrange(256)}.{random.randrange(1, 255)}"
    (tmp_path / "lab.yaml").write_text(LAB.replace("ADDRESS", address), encoding="utf-8")
    recipe = str(ROOT / "recipes" / "flash_qemu_network.yaml")
    done = runner(tmp_path, "play", "-i", "lab.yaml", recipe)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(Report(tmp_path / "results" / "latest").outcomes.values()) == ["passed"]
    image = (ROOT / "recipes" / "images" / "nightly.img").read_bytes()
    assert (tmp_path / "disk").read_bytes()[: len(image)] == image
    phases = [line.partition("phase: ")[2] for line in done.stdout.splitlines() if "phase: " in line]
    assert phases == [
        *("read the bundle", "read the image", "serve by HTTP", "enter U-Boot", "DHCP in U-Boot"),
        *("serve by TFTP", "load the kernel", "load the initram", "boot", "log in", "network of the Linux"),
        *("find the target", "preflash commands", "write", "read back"),
    ]


@contextlib.contextmanager
def web(folder: Path, files: Mapping[str, bytes]) -> Iterator[tuple[str, list[Message]]]:
    """Serve files by HTTPS; give the URL as the board reaches it, and the headers of each request."""
    asked: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers)
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_ciphers("ALL:@SECLEVEL=0")  # BusyBox's own TLS knows no signatures but SHA-1's
        tls.load_cert_chain(folder / "server.pem", folder / "server.key")
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://10.0.2.2:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


BUNDLE = """
kind: FlashBundleManifest
metadata: {name: own}
spec:
  bootcmd: echo nothing boots without a device tree of ours
  login: {username: root, password: toor}
  default_target: none
  targets: {none: /dev/nothing}
  kernel: {file: Image, address: "${kernel_addr_r}"}
  initram: {file: initrd.gz, address: "${ramdisk_addr_r}"}
  dtb:
    address: 0x4a000000
    variants: {usual: usual.dtb, ours: {file: ours.dtb, bootcmd: "BOOTCMD"}}
"""
BOOTCMD = (
    "fdt addr ${dtb_addr}; fdt get value model / model; setenv bootargs console=ttyAMA0 tree=${model}; "
    "booti ${kernel_addr} ${initram_addr}:${initram_size} ${fdtcontroladdr}"
)
"""The Linux is told what the tree says that was loaded; QEMU's machine runs with its own alone."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bench, and a bundle with a device tree that names another machine."""
    address = f"127.69.{random.randrange(256)}.{random.randrange(1, 255)}"
    (tmp_path / "lab.yaml").write_text(LAB.replace("ADDRESS", address), encoding="utf-8")
    tree = tmp_path / "ours.dtb"
    dump = ("-machine", f"virt,dumpdtb={tree}", "-cpu", "cortex-a57", "-m", "512", "-display", "none")
    subprocess.run(["qemu-system-aarch64", *dump], check=True, capture_output=True)
    tree.write_bytes(tree.read_bytes().replace(b"linux,dummy-virt", b"runner,own-board"))
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(BUNDLE.replace("BOOTCMD", BOOTCMD), encoding="utf-8")
    with tarfile.open(tmp_path / "bundle.tar", "w") as packed:
        for each in (manifest, tree):
            packed.add(each, each.name)
    return tmp_path


@pytest.mark.peer("guest", "port 69")
def test_a_board_is_brought_to_the_shell_and_nothing_is_written(folder: Path) -> None:
    guest = ROOT / ".cache" / "guest"
    (folder / "shell.yaml").write_text(
        f"""
steps:
  - flasher_shell:
      bundle: bundle.tar
      kernel: {guest}/Image
      initramfs: {guest}/initrd.gz
      dtb: ours.dtb
      bootcmd: "{BOOTCMD}"
      off_time: 100ms
    expect: result.address == '10.0.2.15'
  - console_cmd: "ip -4 addr show eth0"
    expect: "'10.0.2.15' in result.output"
  - console_cmd: cat /proc/cmdline
    expect: "'tree=runner,own-board' in result.output"
  - console_cmd: dd if=/dev/vda bs=1k count=1 2>/dev/null | sha256sum
teardown:
  - power_off:
""",
        encoding="utf-8",
    )
    done = runner(folder, "play", "-i", "lab.yaml", "shell.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set((folder / "disk").read_bytes()) == {0}
    assert "phase: find the target" not in done.stdout


@pytest.mark.peer("guest", "port 69", "openssl")
def test_an_image_behind_a_password_is_written_by_a_linux_of_ones_own(folder: Path) -> None:
    image = random.Random(8).randbytes(300_000)
    make_certificates(folder, "server")
    with web(folder, {"/image.gz": gzip.compress(image)}) as (url, asked):
        guest = ROOT / ".cache" / "guest"
        (folder / "flash.yaml").write_text(
            f"""
steps:
  - flash_network:
      url: {url}/image.gz
      sha256: {hashlib.sha256(gzip.compress(image)).hexdigest()}
      headers: {{X-Shelf: shelf-seven}}
      bearer: token-of-the-shelf
      insecure_tls: true
      bundle: bundle.tar
      dtb_variant: ours
      kernel: {guest}/Image
      initramfs: {guest}/initrd.gz
      target: /dev/vda
      preflash: ['grep -q tree=runner,own-board /proc/cmdline']
      retries: 0
      verify: size
      off_time: 100ms
      after: boot
    expect: result.attempts == 1 and result.verified == 'size' and result.device == '/dev/vda'
  - expect_console: {{pattern: U-Boot, within: 1m}}
teardown:
  - power_off:
""",
            encoding="utf-8",
        )
        done = runner(folder, "play", "-i", "lab.yaml", "flash.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (folder / "disk").read_bytes()[: len(image)] == image
    assert [(each["X-Shelf"], each["Authorization"]) for each in asked] == [
        ("shelf-seven", "Bearer token-of-the-shelf")
    ]
    kept = b"".join(each.read_bytes() for each in (folder / "results").rglob("*") if each.is_file())
    assert b"read the bundle" in kept
    assert b"shelf-seven" not in kept
    assert b"token-of-the-shelf" not in kept


def test_what_fails_is_tried_again_as_often_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        LAB.replace("ADDRESS", "127.0.0.1") + "      broken: {driver: mock, fails: ['off']}\n",
        encoding="utf-8",
    )
    for name in ("Image", "initrd.gz", "nightly.img"):
        (tmp_path / name).write_bytes(bytes(1000))
    (tmp_path / "flash.yaml").write_text(
        f"""
steps:
  - flash_network:
      image: nightly.img
      bundle: {ROOT}/recipes/bundles/qemu_arm64.yaml
      kernel: Image
      initramfs: initrd.gz
      supply: broken
      retries: 1
""",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", "-i", "lab.yaml", "flash.yaml", RUNNER_LOCKS=str(tmp_path / "locks"))

    told = (tmp_path / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8")
    assert done.returncode == 3
    assert told.count('"phase: read the image"') == 1
    assert told.count('"phase: enter U-Boot"') == 2
    assert told.count('"attempt 1 of 2: enter U-Boot: ') == 1
    assert "attempt 2 of 2" not in told
