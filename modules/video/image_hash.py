"""Tell the hash of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import (
    Context,
    FilePath,
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
from runner.modules.video.alike import comparison_of, hashed, misfits_of, text_of
from runner.modules.video.hashes import HashMethod


class Hash(Result):
    """The hash."""

    hash: str
    """In hexadecimal digits; several with commas between them for `crop_resistant`."""
    method: str
    width: int
    """Of the picture."""
    height: int


class ImageHash(Module):
    """Tell the hash of what a camera shows, or of a file; alike pictures have hashes with few different bits.

    The hashes are those of the Python library ImageHash. It needs Pillow on the bench's host.

    Example::

        - image_hash:
          expect: result.hash == 'ffd7918181c9ffff'
        - image_hash: {image: refs/desktop.png, method: average, hash_size: 16}
    """

    reads_only = True

    image: FilePath | None = arg(
        default=None, primary=True, help="a file; left out: what the camera shows now"
    )
    method: HashMethod = arg(default="perceptual", help="which hash")
    hash_size: int = arg(default=8, help="rows and columns of the hash", minimum=2, maximum=64)
    region: list[int] = arg(default=[], help="the part that counts: x, y, width, height")
    camera: Video | None = device(optional=True, help="the camera")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse regions that are none, and hashes that there are not."""
        return misfits_of(given)

    def run(self, context: Context) -> Hash:
        """Look, or read the file."""
        how = comparison_of(self.method, self.hash_size, self.region, [], 0)
        if self.image is not None:
            data = picture.file(self.image, "the picture")
            looked = picture.opened(data, f"{Path(self.image).name!r}", RecipeFault)
        elif self.camera is not None:
            looked = picture.opened(self.camera.snapshot(context).jpeg, "what the camera gave", LabError)
        else:
            raise RecipeFault("this bench has no camera", hint="name a file with 'image'")
        with looked as image:
            found = hashed(how.prepared(image), self.method, self.hash_size)
            return Hash(hash=text_of(found), method=self.method, width=image.width, height=image.height)
