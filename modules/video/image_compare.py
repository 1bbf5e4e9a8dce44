"""Compare two pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import Context, FilePath, Misfit, Module, RecipeFault, Result, arg
from runner.modules.video import picture
from runner.modules.video.alike import Method, comparison_of, misfits_of


class Distance(Result):
    """How much they differ."""

    distance: float
    """Bits of the hash; per cent for `pixels` and `crop_resistant`."""
    method: str
    hash_a: str
    """Empty for `pixels`."""
    hash_b: str


class ImageCompare(Module):
    """Tell how much two pictures differ, on the machine that runs `runner`, which needs Pillow.

    However large it is, the distance fails nothing; `expect` and `measure` judge it. For
    `crop_resistant`, `b` is where the parts of `a` are looked for.

    Example::

        - video_snapshot: {path: before.png}
          register: before
        - power_cycle:
        - video_snapshot: {path: after.png, wait_online: 30s}
          register: after
        - image_compare: {a: "{{ before.path }}", b: "{{ after.path }}"}
          measure: {changed: {value: result.distance, max: 8}}
    """

    runs_on = "controller"
    reads_only = True

    a: FilePath = arg(help="a picture")
    b: FilePath = arg(help="another one")
    method: Method = arg(default="perceptual", help="how they are compared, as for image_expect")
    hash_size: int = arg(default=8, help="rows and columns of the hash", minimum=2, maximum=64)
    region: list[int] = arg(default=[], help="the part that is compared: x, y, width, height")
    mask: list[list[int]] = arg(default=[], help="parts that do not count")
    shade: int = arg(
        default=16, help="how much a colour of a pixel may differ, for pixels", minimum=0, maximum=254
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse regions that are none, and hashes that there are not."""
        return misfits_of(given)

    def run(self, context: Context) -> Distance:
        """Compare them."""
        how = comparison_of(self.method, self.hash_size, self.region, self.mask, self.shade)
        prepared = []
        for path in (self.a, self.b):
            context.check_cancelled()
            data = picture.file(path, "the picture")
            with picture.opened(data, f"{Path(path).name!r}", RecipeFault) as image:
                prepared.append(how.reference(image))
        found = how.difference(prepared[1], prepared[0])
        return Distance(
            distance=found.distance, method=self.method, hash_a=found.reference_hash, hash_b=found.hash
        )
