"""gallia's virtual control unit: UDS by other people. Its answers are chance, but the same for the same seed.

It writes nothing down and has no key to what it writes: a seed is its own key, `2E` is accepted in session 3
and not in session 1, `22 F1 86` tells the session, `22` and `19 02` give bytes that it makes up.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SEED = "3"
FLOW = """\
name: The diagnostic flow
benches: peer
tests:
  - test: the diagnostic flow
    steps:
      - uds_session: default
      - uds_tester_present:
      - uds_write_did: {did: tester, value: "12 34 56 78", expect_negative: serviceNotSupportedInActiveSession}
      - uds_session: extended
        expect: result.session == 3
      - uds_read_did: session
        expect: result.value == 3
      - uds_security: {level: 1}           # its seed is chance, and may have no bytes
        until: result.seed | length > 0
        retries: 50
        delay: 0ms
        register: asked
      - uds_security: {level: 1, key: "{{ asked.seed }}"}
        expect: result.unlocked
      - uds_security: {level: 1, key: "00", expect_negative: requestSequenceError}
      - uds_write_did: {did: tester, value: "12 34 56 78"}
      - uds_read_did: tester
        expect: result.data | length > 0
      - uds_reset: hard
      - uds_read_did: session
        expect: result.value == 1
      - uds_dtc: {action: count, expect_negative: subFunctionNotSupported}
      - uds_dtc: {action: read, status: 0xFF}
        expect: result.count == result.codes | length
      - uds_session: extended
      - uds_dtc: clear
      - uds_request: {data: "28 03 01", expect_negative: serviceNotSupported}
"""
DEVICE = """\
      ecu:
        driver: uds
        leeway: 30s
        dids:
          tester: {id: 0xF198}
          session: {id: 0xF186, codec: uint, length: 1}
"""


@contextlib.contextmanager
def control_unit(target: str, folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Start it at a target (``unix-lines:///path``, ``isotp://vcan0?…``) and wait until it is ready."""
    services = {"mandatory": ["0x10", "0x11", "0x19", "0x22", "0x3e"], "optional": ["0x27", "0x2e", "0x14"]}
    command = [
        *(str(Path(sys.executable).with_name("gallia")), "script", "vecu", "rng", "--seed", SEED),
        *("--mandatory-sessions", "1", "3", "--optional-sessions", "3", "--p-session", "1"),
        *("--mandatory-services", *services["mandatory"], "--optional-services", *services["optional"]),
        *("--p-service", "0.5", "--p-sub-function", "1", "--p-identifier", "1"),
        *(
            "--p-correct-payload-format",
            "1",
            "--p-dtc-status-mask",
            "1",
            "--artifacts-base",
            str(folder),
            target,
        ),
    ]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            limit = time.monotonic() + 120
            while not ready():
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                assert time.monotonic() < limit, "gallia does not start"
                time.sleep(0.02)
            yield
        finally:
            process.kill()
