"""The files of cloud-init's data source NoCloud (cloud-init documentation, "NoCloud")."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from runner.modules.machine.options import CloudInit


def written(options: CloudInit, folder: Path) -> str:
    """Write the files into a new folder, and return that; each start of a machine is a first one."""
    folder.mkdir()
    about = {"instance-id": str(uuid.uuid4()), "local-hostname": options.hostname}
    (folder / "meta-data").write_text(json.dumps(about) + "\n", encoding="utf-8")
    (folder / "user-data").write_text(options.user_data or _configuration(options), encoding="utf-8")
    return str(folder)


def _configuration(options: CloudInit) -> str:
    """Return the configuration; JSON is YAML, too."""
    user: dict[str, object] = {
        "name": options.user,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/bash",
        "lock_passwd": not options.password,
        "ssh_authorized_keys": list(options.ssh_keys),
    }
    if options.password:
        user["plain_text_passwd"] = str(options.password)
    whole = {"ssh_pwauth": bool(options.password), "users": [user]}
    return f"#cloud-config\n{json.dumps(whole, indent=1)}\n"
