"""A frame grabber on the screen of a simulated board, and a camera above it."""

from __future__ import annotations

import abc
import threading
import time
from collections.abc import Generator
from typing import Literal

from runner.api import CameraState, Context, Frame, StreamAddress, Unreachable, Unsupported, Video
from runner.modules.sim import scenes
from runner.modules.sim.hardware import Stage
from runner.modules.sim.live import LiveBoard

GrabberFault = Literal["works", "no_signal", "frozen", "unplugged"]
CameraFault = Literal["works", "frozen", "unplugged"]

_FPS = 10.0
_FLICKER = (0, 2, -2)
"""How much brighter each picture of a camera is than it should be, one after the other."""


class _Eye(Video):
    """What both have in common: they look at a board whenever they are asked."""

    def __init__(self, live: LiveBoard, fault: GrabberFault) -> None:
        """Take the board; nothing is drawn yet."""
        self._live = live
        self._fault = fault
        self._lock = threading.Lock()
        self._frozen: Stage | None = None
        self._seen = False
        self._taken = 0

    def snapshot(self, context: Context) -> Frame:
        """Take a picture."""
        del context
        stage = self._stage()
        with self._lock:
            self._taken += 1
            number = self._taken
        jpeg, online = self._look(stage, number)
        width, height = scenes.SIZE
        return Frame(jpeg=jpeg, width=width, height=height, time=time.monotonic(), online=online)

    def state(self, context: Context) -> CameraState:
        """Look whether there is a signal."""
        del context
        width, height = scenes.SIZE
        online = self._has_signal(self._stage())
        return CameraState(online=online, width=width, height=height, fps=_FPS, desired_fps=_FPS)

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Take ten pictures a second."""
        while time.monotonic() < until:
            yield self.snapshot(context)
            context.sleep(1 / _FPS)

    def address(self) -> StreamAddress:
        """Refuse: nobody serves them."""
        raise Unsupported("a simulated camera has no stream")

    def _stage(self) -> Stage | None:
        """Return what there is to see; with a frozen picture what was there at the first look."""
        if self._fault == "unplugged":
            raise Unreachable("the simulated camera is not there", hint="is its USB cable in?")
        stage = self._live.stage
        with self._lock:
            if not self._seen:
                self._frozen, self._seen = stage, True
            return self._frozen if self._fault == "frozen" else stage

    @abc.abstractmethod
    def _has_signal(self, stage: Stage | None) -> bool:
        """Tell whether there is a picture to be seen."""

    @abc.abstractmethod
    def _look(self, stage: Stage | None, number: int) -> tuple[bytes, bool]:
        """Return picture `number`, and whether it shows the board."""


class Grabber(_Eye):
    """A frame grabber: exact pictures, and no signal from a board that sends none."""

    def _has_signal(self, stage: Stage | None) -> bool:
        return self._fault != "no_signal" and scenes.has_signal(stage)

    def _look(self, stage: Stage | None, number: int) -> tuple[bytes, bool]:
        del number
        online = self._has_signal(stage)
        return scenes.screen(stage if online else None), online


class Camera(_Eye):
    """A camera, whose light varies a little from picture to picture."""

    def __init__(self, live: LiveBoard, fault: CameraFault) -> None:
        """Take the board that it hangs over."""
        super().__init__(live, fault)

    def _has_signal(self, stage: Stage | None) -> bool:
        del stage
        return True

    def _look(self, stage: Stage | None, number: int) -> tuple[bytes, bool]:
        return scenes.bench(stage, _FLICKER[number % len(_FLICKER)]), True
