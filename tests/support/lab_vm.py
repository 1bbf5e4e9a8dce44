"""The lab VM of the tests: Debian's kernel in QEMU, with the drivers of instruments that this machine may lack.

Tests with the mark `labvm` run in it, all of them in one session of pytest of its own; what they report is
sent out as it happens, and each test passes or fails here as it did there.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.peers import LAB_VM, ROOT, missing

INSIDE = "RUNNER_LAB_VM"
"""Set, in the VM, to the descriptor of the port that leads out."""
PORT = 3
SILENCE = 300.0
"""Seconds without a word after which the VM is given up."""


def inside() -> bool:
    """Return whether this is the VM."""
    return INSIDE in os.environ


class Lost(Exception):
    """The VM ended, or said nothing for too long."""


class LabVm:
    """One boot: runs one command, whose file descriptor 3 leads here."""

    def __init__(self, command: str) -> None:
        """Boot it and have it run a command of its shell."""
        self._scratch = tempfile.TemporaryDirectory(prefix="lab-vm-")
        self._console = Path(self._scratch.name, "console")
        self._qemu, self._port = self._boot(Path(self._scratch.name, "port"))
        self._port.settimeout(SILENCE)
        self._lines = self._port.makefile("rb")
        self._port.sendall(command.encode() + b"\n")

    def _boot(self, path: Path) -> tuple[subprocess.Popen[bytes], socket.socket]:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(1)
            listening.settimeout(SILENCE)
            qemu = subprocess.Popen(_command(path, self._console))
            try:
                return qemu, listening.accept()[0]
            except OSError:
                qemu.kill()
                raise

    def line(self) -> str:
        """Return what is said next; raise Lost when nothing comes any more."""
        try:
            line = self._lines.readline()
        except OSError as error:
            raise Lost(f"the lab VM: {error or 'silent'} ({SILENCE:g} s)\n{self._tail()}") from error
        if not line:
            raise Lost(f"the lab VM has ended\n{self._tail()}")
        return line.decode()

    def _tail(self) -> str:
        return "\n".join(self._console.read_text(errors="replace").splitlines()[-60:])

    def close(self) -> None:
        """End it."""
        self._qemu.kill()
        self._qemu.wait()
        self._lines.close()
        self._port.close()
        self._scratch.cleanup()


def _command(port: Path, console: Path) -> list[str]:
    return [
        *("setpriv", "--pdeathsig", "KILL"),  # it ends with us, whatever happens
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-accel", "tcg,thread=multi", "-smp", "2", "-M", "q35", "-m", "2G"),
        *("-kernel", str(LAB_VM / "vmlinux"), "-initrd", str(LAB_VM / "initrd.gz")),
        *("-append", "console=ttyS0 quiet nokaslr mitigations=off panic=-1 tsc=reliable"),
        *("-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"),
        *("-serial", f"file:{console}", "-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=port,path={port}", "-device", "virtserialport,chardev=port"),
        *("-object", "can-bus,id=can"),
        *("-device", "kvaser_pci,canbus=can", "-device", "kvaser_pci,canbus=can"),
    ]


def shell_command(tests: Sequence[str]) -> str:
    """Return the line for the VM's shell that runs tests there."""
    python = [sys.executable, "-X", "frozen_modules=on", "-m", "pytest", "-q"]
    options = ["-p", "no:cacheprovider", "--color=no", f"--rootdir={ROOT}", "--", *tests]
    settings = {INSIDE: str(PORT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HOME": "/root"}
    settings |= {name: os.environ[name] for name in ("CI", "PYTHONWARNDEFAULTENCODING") if name in os.environ}
    modules = shlex.quote(str(LAB_VM / "modules"))
    return "; ".join(
        [
            f"cd {shlex.quote(str(ROOT))}",
            'modules=/lib/modules/$(uname -r); mkdir -p "$modules"',
            f'mount --bind {modules} "$modules"',
            "ip link set lo up",
            shlex.join(["env", *(f"{name}={value}" for name, value in settings.items()), *python, *options]),
        ]
    )


class Outside:
    """The plugin of pytest that has marked tests run in the VM, after all others."""

    def __init__(self, config: pytest.Config) -> None:
        """Take the session's configuration; the VM is booted when the first of its tests is due."""
        self._config = config
        self._tests: list[str] = []
        self._vm: LabVm | None = None
        self._lost = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which tests go there."""
        self._tests = [item.nodeid for item in session.items if _goes_there(item)]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put them last: between others, they would leave fixtures half torn down."""
        items.sort(key=_goes_there)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Let a test run there, and report what it reports."""
        if not _goes_there(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_sessionfinish(self) -> None:
        """End the VM."""
        if self._vm:
            self._vm.close()

    def _reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        try:
            if self._lost:
                raise Lost(self._lost)
            self._vm = self._vm or LabVm(shell_command(self._tests))
            while (report := self._next(self._vm, item)).when != "teardown":
                yield report
            yield report
        except Lost as lost:
            self._lost = str(lost)
            yield _failure(item, self._lost)

    def _next(self, vm: LabVm, item: pytest.Item) -> pytest.TestReport:
        data: dict[str, Any] = json.loads(vm.line())
        if data["nodeid"] != item.nodeid:
            raise Lost(f"the lab VM reports {data['nodeid']}, and {item.nodeid} was due")
        if isinstance(data["longrepr"], list):  # of a skipped test: JSON has no tuples
            data["longrepr"] = tuple(data["longrepr"])
        report = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
        assert isinstance(report, pytest.TestReport)
        return report


class Inside:
    """The plugin of pytest in the VM that sends every report out."""

    def __init__(self, config: pytest.Config) -> None:
        """Take the port that the shell has left open."""
        self._config = config
        self._port = os.fdopen(int(os.environ[INSIDE]), "wb", buffering=0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send a report as a line of JSON."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        line = json.dumps(data, default=str).encode() + b"\n"
        while line:
            line = line[self._port.write(line) :]


def _goes_there(item: pytest.Item) -> bool:
    return item.get_closest_marker("labvm") is not None and not missing("lab vm")


def _failure(item: pytest.Item, why: str) -> pytest.TestReport:
    return pytest.TestReport(
        item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", why, "setup"
    )


def modprobe(*modules: str) -> None:
    """Load drivers into the VM's kernel; tools/lab_vm says which there are."""
    assert inside(), "only the lab VM's kernel is ours: mark the test with labvm"
    done = subprocess.run(["modprobe", "--all", *modules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
