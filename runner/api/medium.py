"""Whether the block device behind a storage mux can be used: what drivers of muxes look at."""

from __future__ import annotations

import errno
import os

from runner.api.verdicts import LabError, Unreachable

_NOT_YET = {errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM, errno.EIO, errno.EAGAIN}
"""What opening says while the kernel has not found the medium yet, or has just lost it."""


def there(path: str) -> str:
    """Return the path of a medium that can be read; raise Unreachable when it is not there (yet).

    Opening it makes the kernel look whether the reader has a medium: without one the device file
    stays, and opening it fails or it ends at once. A medium that may not be opened is a LabError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _NOT_YET:
            raise Unreachable(f"no medium at {path!r}: {error.strerror}", evidence={"path": path}) from error
        raise LabError(
            f"cannot open the medium {path!r}: {error.strerror}",
            evidence={"path": path},
            hint="is the user of the agent in the group of that file (disk)?",
        ) from error
    if size == 0:
        raise Unreachable(f"no medium at {path!r}: its reader is empty", evidence={"path": path})
    return path
