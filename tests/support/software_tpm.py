"""A software TPM, and the commands that real boards have for it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def software_tpm(folder: Path) -> Iterator[dict[str, str]]:
    """Start one, with its state in a folder; give the environment in which tpm2-tools use it."""
    server, control = folder / "tpm", folder / "tpm.ctrl"
    process = subprocess.Popen(
        [
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}"),
            *("--server", f"type=unixio,path={server}", "--ctrl", f"type=unixio,path={control}"),
            *("--flags", "not-need-init,startup-clear"),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + 60
        while not (server.exists() and control.exists()):
            assert process.poll() is None, "swtpm has ended"
            assert time.monotonic() < limit, "swtpm makes no socket"
            time.sleep(0.01)
        yield {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={server}"}
    finally:
        process.kill()
        process.wait()
