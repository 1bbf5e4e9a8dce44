"""Block maps (bmaptool): which parts of an image hold data, and their checksums."""

from __future__ import annotations

import hashlib
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.api import RecipeFault

_FORMATS = ("1.2", "1.3", "1.4", "2.0")
"""Before 1.2 there were no checksums (bmaptool, "bmap file format"): those are read, too, as 1.0 and 1.1."""
_RANGE = re.compile(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*")
_CHECKSUM = re.compile(rb"(<BmapFileChecksum>\s*)([0-9a-f]+)(\s*</BmapFileChecksum>)")


@dataclass(frozen=True)
class Range:
    """A part of an image with data: from byte `start` up to `end`; `checksum` of it, or empty."""

    start: int
    end: int
    checksum: str = ""


@dataclass(frozen=True)
class BlockMap:
    """The parts of an image that hold data, in their order."""

    size: int
    ranges: tuple[Range, ...]
    algorithm: str = "sha256"

    @property
    def mapped(self) -> int:
        """How many bytes hold data."""
        return sum(each.end - each.start for each in self.ranges)

    def pieces(self, blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Return what is mapped of a whole image, with its place; raise RecipeFault where it differs."""
        ranges = iter(self.ranges)
        current, place = next(ranges, None), 0
        digest = hashlib.new(self.algorithm)
        for block in blocks:
            view = memoryview(block)
            while current is not None and current.start < place + len(block):
                begin, end = max(current.start, place), min(current.end, place + len(block))
                piece = bytes(view[begin - place : end - place])
                digest.update(piece)
                yield begin, piece
                if end < current.end:
                    break
                self._compare(current, digest.hexdigest())
                current, digest = next(ranges, None), hashlib.new(self.algorithm)
            place += len(block)
        if place != self.size:
            raise RecipeFault(f"the image has {place} bytes, its bmap is for one of {self.size}")

    def _compare(self, found: Range, checksum: str) -> None:
        if found.checksum and found.checksum != checksum:
            raise RecipeFault(
                f"the image is not that of its bmap: bytes {found.start} to {found.end} differ",
                evidence={"expected": found.checksum, "actual": checksum},
                hint="the medium is written in part. Was one of the two made again?",
            )


def read_bmap(content: bytes) -> BlockMap:
    """Read a block map; raise RecipeFault for what is none, is damaged, or is of a later format."""
    try:
        root = ET.fromstring(content)  # noqa: S314 - expat bounds entities from 2.4.1 on
        version = root.attrib["version"]
        block, size = int(_text(root, "BlockSize")), int(_text(root, "ImageSize"))
        algorithm = _algorithm(root, version)
        _check_itself(content, root, algorithm)
        ranges = tuple(_range(each, block, size) for each in root.iterfind("BlockMap/Range"))
    except (ET.ParseError, KeyError, ValueError) as error:
        raise RecipeFault(f"this is no bmap: {error}") from error
    if not version.startswith(("1.", "2.")):
        raise RecipeFault(f"a bmap of the format {version}, known are {', '.join(_FORMATS)}")
    if any(one.end > two.start for one, two in itertools.pairwise(ranges)):
        raise RecipeFault("this is no bmap: its ranges are not in order")
    return BlockMap(size, ranges, algorithm)


def _text(root: ET.Element, name: str) -> str:
    found = root.findtext(name)
    if found is None:
        raise KeyError(f"it has no {name}")
    return found.strip()


def _algorithm(root: ET.Element, version: str) -> str:
    """Return the algorithm of the checksums: said from 1.4 on, SHA-256 in 1.3, SHA-1 before."""
    said = root.findtext("ChecksumType")
    name = said.strip() if said else "sha256" if version == "1.3" else "sha1"
    if name not in hashlib.algorithms_guaranteed:
        raise ValueError(f"its checksums are {name!r}, which nobody knows")
    return name


def _check_itself(content: bytes, root: ET.Element, algorithm: str) -> None:
    """Compare the map with the checksum in it, which is made with zeros in its place."""
    found = _CHECKSUM.search(content)
    if found is None or root.findtext("BmapFileChecksum") is None:
        return
    zeroed = content[: found.start(2)] + b"0" * len(found[2]) + content[found.end(2) :]
    if hashlib.new(algorithm, zeroed).hexdigest().encode() != found[2]:
        raise ValueError("its own checksum is wrong: it is damaged, or was edited")


def _range(element: ET.Element, block: int, size: int) -> Range:
    found = _RANGE.fullmatch(element.text or "")
    if found is None:
        raise ValueError(f"{element.text!r} is no range of blocks")
    first, last = int(found[1]), int(found[2] or found[1])
    start, end = first * block, min((last + 1) * block, size)
    if not start < end:
        raise ValueError(f"the range {element.text!r} is not within the image")
    return Range(start, end, element.attrib.get("chksum", element.attrib.get("sha1", "")).lower())
