"""Where the locks of benches are, and files there that everybody may write."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from runner.api.verdicts import LabError

_FOLDERS = ("/run/lock/runner", "/tmp/runner-locks")  # noqa: S108 - shared by all users on purpose
_SHARED = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "ceph", "lustre", "gpfs", "ocfs2"),
        *("gfs2", "glusterfs", "beegfs", "vboxsf", "prl_fs", "vmhgfs", "ncpfs", "fuse"),
    )
)
"""File systems that several machines may see: locks on them do not hold, or outlive who made them."""
_ESCAPED = re.compile(r"\\([0-7]{3})")


def lock_folder(environment: Mapping[str, str], mounts: Path = Path("/proc/self/mountinfo")) -> Path:
    """Return the folder of this machine's locks: ``$RUNNER_LOCKS``, or the first that can be written."""
    given = environment.get("RUNNER_LOCKS")
    folders = (given,) if given else _FOLDERS
    for folder in map(Path, folders):
        if usable(folder):
            _refuse_shared(folder, mounts)
            return folder
    raise LabError(
        f"no folder for the locks of benches can be written: {', '.join(folders)}",
        hint="set RUNNER_LOCKS to a folder that everybody who uses these benches can write",
    )


def usable(folder: Path) -> bool:
    """Make a folder for all users, if need be, and tell whether it can be written."""
    try:
        folder.mkdir()
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _refuse_shared(folder: Path, mounts: Path) -> None:
    try:
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return  # no /proc: nothing is known of the file system, and nothing is wrong with that
    kind = file_system(folder.resolve(), text)
    if kind in _SHARED or kind.startswith("fuse."):
        raise LabError(
            f"the folder for the locks of benches, {folder}, is on a network file system ({kind}): "
            "locks there do not keep others away",
            hint="set RUNNER_LOCKS on this host to a folder of its own disk, as /run/lock/runner",
        )


def file_system(folder: Path, mountinfo: str) -> str:
    """Return the type of the file system that a folder is on (proc_pid_mountinfo(5)); empty when unknown.

    >>> file_system(Path("/lab/locks"), "21 1 0:19 / / rw - ext4 /dev/sda rw")
    'ext4'
    """
    nearest, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        if (point == folder or point in folder.parents) and len(point.parts) >= nearest:
            nearest, kind = len(point.parts), after.split(" ")[0]
    return kind


def opened(path: Path) -> int:
    """Open a lock's file. Without O_CREAT first: the kernel may refuse that on others' files (proc(5))."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LabError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return opened(path)
    except OSError as error:
        raise LabError(f"cannot make the lock {path}: {error.strerror}") from error
    os.fchmod(descriptor, 0o666)
    return descriptor


def file_name(bench: str) -> str:
    """Return a bench's name as a part of a file's name."""
    return "".join(each if each.isalnum() or each in "._-" else f"%{ord(each):02x}" for each in bench)
