"""One USB device, talked to through pyusb and libusb: the only place that knows their errors."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from runner.api import Duration, LabError, Unreachable, Unsupported
from runner.modules.usb.attached import Attached

LIBRARY = "libusb-1.0.so.0"
NEEDED = {LIBRARY: "libusb-1.0-0"}
"""What the host must have, and Debian's package for it: pyusb travels, libusb is compiled."""
_LATE = 20
"""Milliseconds in which an answer comes that is already there."""
_GONE = (errno.ENODEV, errno.ENOENT, errno.ESHUTDOWN)


class Device:
    """A device that is open for transfers; a device that goes and comes back must be opened again.

    `name`: what it is called in messages; `limit`: how long each transfer may take.
    """

    def __init__(self, found: Attached, name: str, limit: Duration) -> None:
        """Open it; raise LabError when it has gone, is not permitted, or there is no libusb."""
        self.found = found
        self.name = name
        self._limit = limit
        self._device = _opened(found, self.name)

    def send(self, kind: int, request: int, value: int, index: int) -> None:
        """Make a control transfer without data (USB 2.0, section 9.3: bmRequestType, bRequest …)."""
        with self._translated("take a request"):
            self._device.ctrl_transfer(kind, request, value, index, None, self._milliseconds)

    def ask(self, kind: int, request: int, value: int, index: int, length: int) -> bytes:
        """Make a control transfer that reads up to `length` bytes."""
        with self._translated("answer a request"):
            return bytes(self._device.ctrl_transfer(kind, request, value, index, length, self._milliseconds))

    @contextlib.contextmanager
    def claimed(self, interface: int = 0) -> Iterator[None]:
        """Have an interface for ourselves; a driver of the kernel is sent away from it."""
        import usb.util

        with self._translated("be taken"):
            if self._device.is_kernel_driver_active(interface):
                self._device.detach_kernel_driver(interface)
            usb.util.claim_interface(self._device, interface)
        try:
            yield
        except BaseException:
            with contextlib.suppress(LabError):  # what went wrong before counts
                self._release(interface)
            raise
        self._release(interface)

    def endpoints(self, interface: int = 0) -> tuple[Any, Any]:
        """Return the first endpoint out and the first in of an interface; raise LabError without both."""
        import usb.util

        with self._translated("describe itself"):
            found = list(self._device.get_active_configuration()[(interface, 0)])
        by_direction = {usb.util.endpoint_direction(each.bEndpointAddress): each for each in reversed(found)}
        if usb.util.ENDPOINT_OUT not in by_direction or usb.util.ENDPOINT_IN not in by_direction:
            raise LabError(f"{self.name} has not the two endpoints of its kind: is it one?")
        return by_direction[usb.util.ENDPOINT_OUT], by_direction[usb.util.ENDPOINT_IN]

    def interface(self, *kind: int) -> int:
        """Return the number of its interface of a class, subclass and protocol; raise LabError for none."""
        with self._translated("describe itself"):
            for each in self._device.get_active_configuration():
                if (each.bInterfaceClass, each.bInterfaceSubClass, each.bInterfaceProtocol) == kind:
                    return int(each.bInterfaceNumber)
        raise LabError(f"{self.name} has no interface {'/'.join(f'{each:02x}' for each in kind)}: is it one?")

    def write(self, endpoint: Any, data: bytes) -> None:
        """Write to an endpoint; raise LabError when it does not take all of it."""
        with self._translated("take a report"):
            written = endpoint.write(data, self._milliseconds)
        if written != len(data):
            raise LabError(f"{self.name} took {written} of {len(data)} bytes")

    def read(self, endpoint: Any, length: int) -> bytes:
        """Read from an endpoint."""
        with self._translated("answer"):
            return bytes(endpoint.read(length, self._milliseconds))

    def drop_late_answers(self, endpoint: Any) -> None:
        """Read what an endpoint still has, from a question that was given up."""
        import usb.core

        with self._translated("answer"), contextlib.suppress(usb.core.USBTimeoutError):
            while True:
                endpoint.read(endpoint.wMaxPacketSize, _LATE)

    def wrong(self, answer: bytes, asked: str) -> LabError:
        """Return the error for an answer that makes no sense."""
        shown = answer[:8].hex(" ") or "nothing"
        return LabError(
            f"{self.name} answered {asked} with {shown}",
            evidence={"device": self.found.location, "answer": shown},
        )

    def close(self) -> None:
        """Let go of it."""
        import usb.util

        usb.util.dispose_resources(self._device)

    def _release(self, interface: int) -> None:
        import usb.util

        with self._translated("be released"):
            usb.util.release_interface(self._device, interface)

    @property
    def _milliseconds(self) -> int:
        return max(1, round(self._limit * 1000))

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        import usb.core

        try:
            yield
        except (usb.core.USBError, NotImplementedError, ValueError) as error:
            raise self._fault(error, doing) from error

    def _fault(self, error: Exception, doing: str) -> LabError:
        import usb.core

        number = getattr(error, "errno", None)
        evidence = {"device": self.found.location, "serial": self.found.serial, "errno": number}
        if isinstance(error, usb.core.USBTimeoutError):
            return Unreachable(
                f"{self.name} did not {doing} within {self._limit}",
                evidence={**evidence, "limit": float(self._limit)},
                hint="a slow one gets more time by the option 'limit'",
            )
        if number in _GONE:
            return Unreachable(
                f"{self.name} has gone from USB",
                evidence=evidence,
                hint="was it unplugged, or its own hub switched off?",
            )
        if number == errno.EPIPE:
            return Unsupported(f"{self.name} refused to {doing}: it stalled", evidence=evidence)
        if number == errno.EBUSY:
            return LabError(
                f"{self.name} is used by another program",
                evidence=evidence,
                hint=f"'fuser -v {self.found.node}' names it",
            )
        return (
            _denied(self.found, self.name)
            if number in (errno.EACCES, errno.EPERM)
            else LabError(f"{self.name} did not {doing}: {error}", evidence=evidence)
        )


def _opened(found: Attached, name: str) -> Any:
    import usb.backend.libusb1
    import usb.core

    shared = usb.backend.libusb1.get_backend()
    if shared is None:
        raise LabError(
            f"no {LIBRARY} on this host, which {name} needs",
            hint=f"install it on the host of the bench: apt install {NEEDED[LIBRARY]}",
        )
    try:
        # A context of our own knows what is plugged in now. The shared one would have to be told of
        # changes by udevd, which containers lack.
        backend = type(shared)(shared.lib)
        device = usb.core.find(backend=backend, bus=found.bus, address=found.address)
        if device is None:
            raise Unreachable(f"{name} has gone from USB", evidence={"device": found.location})
        device.get_active_configuration()  # opens it
    except (usb.core.USBError, NotImplementedError) as error:
        if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM):
            raise _denied(found, name) from error
        raise Unreachable(f"cannot open {name}: {error}", evidence={"device": found.location}) from error
    return device


def _denied(found: Attached, name: str) -> LabError:
    rule = (
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{found.vendor:04x}", '
        f'ATTR{{idProduct}}=="{found.product:04x}", MODE="0660", GROUP="plugdev"'
    )
    return Unreachable(
        f"no permission for {name}: {found.node}",
        evidence={"device": found.location, "node": found.node},
        hint=f"a rule for udev gives it to a group, in /etc/udev/rules.d/70-bench.rules: {rule}",
    )
