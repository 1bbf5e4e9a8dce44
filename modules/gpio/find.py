"""Finds a line among the chips of the host, by numbers or by names."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runner.api import LabError, Unreachable, Unsupported
from runner.modules.gpio import uapi
from runner.modules.gpio.kernel import Kernel


@dataclass(frozen=True)
class Place:
    """Where a line is: its chip's path, its offset there, and its name if it has one."""

    chip: str
    offset: int
    name: str = ""

    def __str__(self) -> str:
        """Write it for a person."""
        return f"line {self.offset}{f' ({self.name})' if self.name else ''} of {self.chip}"


def find(kernel: Kernel, chip: str, line: int | str) -> Place:
    """Return where a line is; raise Unreachable when there is no such chip or line.

    `chip`: a path, a name as gpiochip0, or a label; empty: any chip that has a line of that name.
    """
    found = [place for path in candidates(kernel, chip) for place in _lines(kernel, path, chip, line)]
    if len(found) == 1:
        return found[0]
    wanted = f"line {line!r} of {chip or 'any GPIO chip'}"
    if found:
        several = ", ".join(map(str, found))
        raise LabError(f"{wanted} is not one line but several: {several}", hint="name its chip")
    there = ", ".join(_described(kernel)) or "none"
    raise Unreachable(f"there is no {wanted}; the chips are: {there}", hint="gpioinfo shows every line")


def candidates(kernel: Kernel, chip: str) -> list[str]:
    """Return the paths of the chips that are opened to find one: all, unless its path or name is given."""
    if "/" in chip:
        return [chip]
    paths = list(kernel.chips())
    named = [path for path in paths if path.rpartition("/")[2] == chip]
    return named or paths


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn the kernel's errors into errors of the lab: the only place that knows both."""
    try:
        yield
    except OSError as error:
        raise _translated(what, error) from error


@contextmanager
def opened(kernel: Kernel, path: str) -> Iterator[int]:
    """Open a chip for as long as it is asked."""
    with asking(path):
        descriptor = kernel.open(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def user_of(kernel: Kernel, place: Place) -> str:
    """Return who uses a line; empty when nobody does."""
    with opened(kernel, place.chip) as chip, asking(str(place)):
        info = uapi.line_info(place.offset)
        kernel.ioctl(chip, uapi.GET_LINEINFO, info)
        _, consumer, flags = uapi.line_of(info)
    return consumer or ("somebody" if flags & uapi.USED else "")


def _translated(what: str, error: OSError) -> LabError:
    evidence = {"line": what, "errno": errno.errorcode.get(error.errno or 0, "")}
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "whoever runs the agent needs the right to open GPIO chips: often the group gpio"
        return LabError(f"{what} may not be opened: {error.strerror}", evidence=evidence, hint=hint)
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return Unreachable(f"{what} is not there: {error.strerror}", evidence=evidence)
    if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL):
        hint = "GPIO lines need Linux 5.10; not every chip knows every drive and bias"
        return Unsupported(f"{what} cannot do that: {error.strerror}", evidence=evidence, hint=hint)
    return LabError(f"{what} failed: {error.strerror}", evidence=evidence)


def _lines(kernel: Kernel, path: str, chip: str, line: int | str) -> Iterator[Place]:
    """Return the lines of a chip that are meant."""
    with opened(kernel, path) as descriptor, asking(path):
        info = uapi.chip_info()
        kernel.ioctl(descriptor, uapi.GET_CHIPINFO, info)
        name, label, count = uapi.chip_of(info)
        if "/" not in chip and chip not in ("", name, label):
            return
        offsets = [line] if isinstance(line, int) else range(count)
        for offset in offsets:
            if not 0 <= offset < count:
                raise Unreachable(f"{path} ({label}) has no line {offset}: it has {count}, from 0")
            found = uapi.line_info(offset)
            kernel.ioctl(descriptor, uapi.GET_LINEINFO, found)
            line_name = uapi.line_of(found)[0]
            if line in (offset, line_name):
                yield Place(path, offset, line_name)


def _described(kernel: Kernel) -> Iterator[str]:
    for path in kernel.chips():
        with opened(kernel, path) as descriptor, asking(path):
            info = uapi.chip_info()
            kernel.ioctl(descriptor, uapi.GET_CHIPINFO, info)
            _, label, count = uapi.chip_of(info)
        yield f"{path} ({label}, {count} lines)"
