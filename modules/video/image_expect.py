"""Compare what a camera shows with a picture."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.api import (
    Context,
    Duration,
    Failed,
    FilePath,
    Frame,
    LabError,
    Misfit,
    Module,
    RecipeFault,
    Result,
    Video,
    arg,
    device,
)
from runner.modules.video import picture
from runner.modules.video.alike import Comparison, Difference, Method, comparison_of, misfits_of
from runner.modules.video.side_by_side import side_by_side

if TYPE_CHECKING:
    from PIL.Image import Image

_TOLERANCE = {"pixels": 1.0, "crop_resistant": 25.0}
_BITS = 1.0


@dataclass(frozen=True)
class Look:
    """A picture, what was compared of it, and what came of that."""

    frame: Frame
    shown: Image
    difference: Difference
    passed: bool


class Compared(Result):
    """How the last picture compares with the reference."""

    distance: float
    """Bits of the hash that differ; per cent for `pixels` and `crop_resistant`."""
    tolerance: float
    method: str
    hash: str
    """Of the picture; empty for `pixels`."""
    reference_hash: str
    attempts: int
    """Pictures that were looked at."""
    elapsed: Duration
    online: bool | None
    """Whether there was a signal; nothing where the camera cannot tell."""
    files: dict[str, str]
    """What is among the artifacts: `actual`, `reference` and `side_by_side`; empty when it passed."""


class ImageExpect(Module):
    """Look until a camera shows what a picture shows, or (`unlike`) until it no longer does.

    It compares beside the camera, and needs Pillow there. When it fails, the picture, the reference
    and both side by side are among the artifacts. The methods:

    `perceptual` compares the coarse structure: for cameras, whose light and focus vary a little.
    `average` and `wavelet` compare what is bright and what is dark. `difference` compares what is
    brighter than its neighbour; dark screens with little on them are all alike to it. Distances of
    these are bits of `hash_size` times `hash_size`. `crop_resistant` looks for the parts of the
    reference anywhere in the picture, and counts in per cent those that are missing. `color` compares how
    much there is of each colour, wherever it stands, and forgets shapes. `pixels` counts the
    pixels that differ, in per cent: for grabbers, which are exact. A picture without a signal is like
    nothing, and unlike nothing, unless `signal` is false.

    Example::

        - image_expect: {reference: refs/desktop.png, tolerance: 4, within: 60s}
          measure: {distance: {value: result.distance}}
        - image_expect: {reference: refs/clock-off.png, method: pixels, mask: [[700, 0, 100, 30]]}
        - image_expect: {reference: refs/logo.png, region: [0, 0, 320, 200], unlike: true, within: 10s}
    """

    limited_by = "within"

    reference: FilePath = arg(primary=True, help="the picture that it is compared with")
    method: Method = arg(default="perceptual", help="how pictures are compared")
    tolerance: float | None = arg(
        default=None,
        help="the largest distance that is alike; 1 when left out, for crop_resistant 25",
        minimum=0,
    )
    hash_size: int = arg(default=8, help="rows and columns of the hash", minimum=2, maximum=64)
    region: list[int] = arg(
        default=[],
        help="what is compared of the picture: x, y, width, height; the reference may be just that",
    )
    mask: list[list[int]] = arg(default=[], help="parts of the picture that do not count: a clock, say")
    shade: int = arg(
        default=16, help="how much a colour of a pixel may differ, for pixels", minimum=0, maximum=254
    )
    unlike: bool = arg(default=False, help="pass when it is farther away than the tolerance, instead")
    within: Duration = arg(default=Duration(0), help="how long it may take; 0: one look")
    interval: Duration = arg(default=Duration("200ms"), help="time between two looks")
    signal: bool = arg(default=True, help="false: a picture without a signal counts, too")
    camera: Video = device(help="the camera")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse regions that are none, and hashes that there are not."""
        return misfits_of(given)

    def run(self, context: Context) -> Compared:
        """Look until it is as expected, or the time is over."""
        how = self._how
        began, attempts = time.monotonic(), 0
        with self._reference() as whole:
            wanted = how.reference(whole)
            while True:
                frame, attempts = self.camera.snapshot(context), attempts + 1
                look = self._looked(frame, wanted, how)
                elapsed = time.monotonic() - began
                if look.passed or elapsed >= self.within:
                    break
                context.sleep(self.interval)
            files = {} if look.passed else self._kept(look, wanted, context)
        found = Compared(
            distance=look.difference.distance,
            tolerance=self._tolerance,
            method=self.method,
            hash=look.difference.hash,
            reference_hash=look.difference.reference_hash,
            attempts=attempts,
            elapsed=Duration(elapsed),
            online=frame.online,
            files=files,
        )
        if not look.passed:
            raise self._failed(found, how, context)
        context.log(f"differs by {found.distance:g} {how.unit} from {Path(self.reference).name}")
        return found

    def predict(self, context: Context) -> str:
        """Look once: what other steps bring about is not there yet."""
        with self._reference() as whole:
            look = self._looked(self.camera.snapshot(context), self._how.reference(whole), self._how)
        differs = f"differs by {look.difference.distance:g} {self._how.unit} now"
        return f"is as expected: it {differs}" if look.passed else f"would look until it is so: it {differs}"

    def _reference(self) -> AbstractContextManager[Image]:
        data = picture.file(self.reference, "the reference")
        return picture.opened(data, f"the reference {Path(self.reference).name!r}", RecipeFault)

    @property
    def _how(self) -> Comparison:
        return comparison_of(self.method, self.hash_size, self.region, self.mask, self.shade)

    @property
    def _tolerance(self) -> float:
        return _TOLERANCE.get(self.method, _BITS) if self.tolerance is None else self.tolerance

    def _looked(self, frame: Frame, wanted: Image, how: Comparison) -> Look:
        with picture.opened(frame.jpeg, "what the camera gave", LabError) as image:
            shown = how.prepared(image)
        difference = how.difference(shown, wanted)
        counts = frame.online is not False or not self.signal
        alike = difference.distance <= self._tolerance
        return Look(frame, shown, difference, counts and alike != self.unlike)

    def _kept(self, look: Look, wanted: Image, context: Context) -> dict[str, str]:
        """Put what was compared among the artifacts; return the names."""
        base = f"{Path(self.reference).stem}-{hashlib.sha256(look.frame.jpeg).hexdigest()[:8]}"
        kept = {
            "actual": (f"{base}-actual.jpg", look.frame.jpeg),
            "reference": (f"{base}-reference.png", picture.encoded(wanted, "PNG")),
            "side_by_side": (f"{base}-side-by-side.png", side_by_side(wanted, look.shown)),
        }
        for name, data in kept.values():
            context.artifact(name, data)
        return {what: name for what, (name, _) in kept.items()}

    def _failed(self, found: Compared, how: Comparison, context: Context) -> Failed:
        name = context.devices.get("camera", "camera")
        relation = "more than" if self.unlike else "at most"
        looks = f", {found.attempts} looks within {self.within}" if self.within else ""
        offline = found.online is False and self.signal
        said = "has no signal: what it shows" if offline else "shows what"
        return Failed(
            f"{name!r} {said} differs by {found.distance:g} {how.unit} from "
            f"{Path(self.reference).name!r} ({self.method}), expected {relation} {found.tolerance:g}{looks}",
            evidence={
                "distance": found.distance,
                "tolerance": found.tolerance,
                "method": self.method,
                "online": found.online,
                "attempts": found.attempts,
                **found.files,
            },
            hint="is the screen on, and the cable in?" if offline else "",
            result=found,
        )
