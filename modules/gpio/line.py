"""A line that is ours: requested from the kernel, read, driven, and given back."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Literal

from runner.api import LabError
from runner.api.gpio import LineState
from runner.modules.gpio import uapi
from runner.modules.gpio.find import Place, asking, opened, user_of
from runner.modules.gpio.kernel import Kernel

Drive = Literal["push_pull", "open_drain", "open_source"]
Bias = Literal["as_is", "pull_up", "pull_down", "disabled"]
Initial = Literal["keep", "active", "inactive"]
AtClose = Literal["keep", "input", "active", "inactive"]

_DRIVES = {"push_pull": 0, "open_drain": uapi.OPEN_DRAIN, "open_source": uapi.OPEN_SOURCE}
_BIASES = {
    "as_is": 0,
    "pull_up": uapi.PULL_UP,
    "pull_down": uapi.PULL_DOWN,
    "disabled": uapi.NO_BIAS,
}


@dataclass(frozen=True)
class Settings:
    """How a line is used."""

    active_low: bool = False
    drive: Drive = "push_pull"
    bias: Bias = "as_is"
    initial: Initial = "keep"
    at_close: AtClose = "keep"
    consumer: str = "runner"

    @property
    def polarity(self) -> int:
        """The flags that say which voltage is active."""
        return uapi.ACTIVE_LOW if self.active_low else 0

    @property
    def input(self) -> int:
        """The flags of an input."""
        return self.polarity | _BIASES[self.bias] | uapi.INPUT

    @property
    def output(self) -> int:
        """The flags of an output."""
        return self.polarity | _BIASES[self.bias] | uapi.OUTPUT | _DRIVES[self.drive]


def open_input(kernel: Kernel, place: Place, settings: Settings) -> Line:
    """Request a line as an input whose edges are told: they can only be asked for at once."""
    flags = settings.input | uapi.RISING | uapi.FALLING
    return Line(kernel, place, settings, uapi.request(place.offset, settings.consumer, flags))


def open_output(kernel: Kernel, place: Place, settings: Settings) -> Line:
    """Request a line as an output that begins as `initial` says; to keep its state it is read before."""
    request = uapi.request(place.offset, settings.consumer, settings.polarity)
    line = Line(kernel, place, settings, request)
    try:
        line.make_output(line.value() if settings.initial == "keep" else int(settings.initial == "active"))
    except LabError:
        line.close()
        raise
    return line


class Line:
    """A line, from the request for it to `close`."""

    def __init__(self, kernel: Kernel, place: Place, settings: Settings, request: bytearray) -> None:
        """Request it; raise LabError when somebody else has it."""
        self._kernel = kernel
        self._settings = settings
        self.place = place
        with opened(kernel, place.chip) as descriptor, asking(str(place)):
            try:
                kernel.ioctl(descriptor, uapi.GET_LINE, request)
            except OSError as error:
                if error.errno == errno.EBUSY:
                    raise self._busy() from error
                raise
        self.descriptor = uapi.descriptor_of(request)

    def get(self) -> LineState:
        """Read it."""
        return "active" if self.value() else "inactive"

    def set(self, state: LineState) -> None:
        """Drive it."""
        with asking(str(self.place)):
            self._kernel.ioctl(self.descriptor, uapi.SET_VALUES, uapi.values(int(state == "active")))

    def make_output(self, value: int) -> None:
        """Drive it from now on, with this value at once."""
        self._configure(uapi.config(self._settings.output, value))

    def value(self) -> int:
        """Read it: 1 is active."""
        data = uapi.values()
        with asking(str(self.place)):
            self._kernel.ioctl(self.descriptor, uapi.GET_VALUES, data)
        return uapi.value_of(data)

    def leave(self) -> None:
        """Put an output into the state in which it is to be found when we have gone."""
        if self._settings.at_close == "input":
            self._configure(uapi.config(self._settings.input))
        elif self._settings.at_close != "keep":
            self.set(self._settings.at_close)

    def close(self) -> None:
        """Give it back; what is on it then the kernel does not promise, though most chips keep it."""
        os.close(self.descriptor)

    def _configure(self, data: bytearray) -> None:
        with asking(str(self.place)):
            self._kernel.ioctl(self.descriptor, uapi.SET_CONFIG, data)

    def _busy(self) -> LabError:
        user = user_of(self._kernel, self.place) or "somebody"
        return LabError(
            f"{self.place} is used by {user!r}",
            evidence={"line": str(self.place), "consumer": user},
            hint="a driver of the kernel, or another program: gpioinfo shows it",
        )
