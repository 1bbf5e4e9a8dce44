from pathlib import Path

import pytest

from runner.agent.lock_files import file_system, lock_folder
from runner.api import LabError

MOUNTS = r"""21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
22 21 0:20 / /lab rw - nfs4 nas:/lab rw
23 22 0:21 / /lab/own\040disk rw master:2 - xfs /dev/vdb rw
24 21 0:22 / /mnt rw - ext4 /dev/vdc rw
25 24 0:23 / /mnt rw - fuse.sshfs me@there:/ rw
"""


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/run/lock", "ext4"),
        ("/lab/locks", "nfs4"),
        ("/laboratory", "ext4"),
        ("/lab/own disk/locks", "xfs"),
        ("/mnt", "fuse.sshfs"),
    ],
)
def test_the_nearest_mount_counts_and_of_two_at_one_place_the_later(folder: str, found: str) -> None:
    assert file_system(Path(folder), MOUNTS) == found


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs"])
def test_locks_on_a_network_file_system_are_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"21 1 0:1 / / rw - ext4 /dev/vda rw\n22 21 0:2 / {tmp_path} rw - {kind} x rw\n", encoding="utf-8"
    )
    with pytest.raises(LabError, match=f"is on a network file system .{kind}.") as caught:
        lock_folder({"RUNNER_LOCKS": str(tmp_path)}, mounts)
    assert caught.value.hint.startswith("set RUNNER_LOCKS on this host to a folder of its own disk")
