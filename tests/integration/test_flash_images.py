"""What flash makes of images: packed by real programs, with block maps, with checksums of every kind."""

import bz2
import gzip
import hashlib
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.context import Memory, StepContext
from support.media import mounted, noise

from runner.api import Checksum, Context, FilePath, LabError, Programmer, RecipeFault
from runner.modules.storage.flash import Flash, Flashed, Part
from runner.modules.storage.packing import BLOCK, Compression

CONTENT = noise(700_000) + bytes(5 * 2**20) + noise(1000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Packer = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-1"], input=data, capture_output=True, check=True).stdout


PACKERS = [
    pytest.param(gzip.compress, id="gzip"),
    pytest.param(lzma.compress, id="xz"),
    pytest.param(bz2.compress, id="bz2"),
    pytest.param(zstd, id="zstd", marks=pytest.mark.peer("zstd")),
]


def made(path: Path, content: bytes) -> FilePath:
    path.write_bytes(content)
    return FilePath(path)


def flashed(image: FilePath, **options: object) -> tuple[Flashed, bytes]:
    medium = Memory()
    result = Flash(image=image, storage=medium, **options).run(StepContext())
    return result, bytes(medium.content)


@pytest.mark.parametrize("pack", PACKERS)
def test_a_packed_image_with_any_name_is_unpacked_while_it_is_written(tmp_path: Path, pack: Packer) -> None:
    result, content = flashed(made(tmp_path / "disk.img", pack(CONTENT)))

    assert content == CONTENT
    assert (result.sha256, result.bytes_written) == (SHA256, len(CONTENT))


@pytest.mark.parametrize("pack", PACKERS)
def test_packed_pieces_one_after_the_other_are_one_image(tmp_path: Path, pack: Packer) -> None:
    half = len(CONTENT) // 2
    _, content = flashed(made(tmp_path / "disk", pack(CONTENT[:half]) + pack(CONTENT[half:])))

    assert content == CONTENT


@pytest.mark.parametrize("pack", PACKERS)
def test_a_packed_image_that_ends_too_early_is_damaged(tmp_path: Path, pack: Packer) -> None:
    with pytest.raises(RecipeFault, match="disk is damaged"):
        flashed(made(tmp_path / "disk", pack(CONTENT)[:-5000]))


def test_zeros_after_a_packed_image_are_padding_and_anything_else_is_damage(tmp_path: Path) -> None:
    assert flashed(made(tmp_path / "one", lzma.compress(CONTENT) + bytes(4096)))[1] == CONTENT
    with pytest.raises(RecipeFault, match="two is damaged"):
        flashed(made(tmp_path / "two", lzma.compress(CONTENT) + b"what is this"))


@pytest.mark.parametrize(("said", "is_"), [("xz", "gzip"), ("gzip", "something else"), ("zstd", "bz2")])
def test_another_packing_than_was_declared_is_refused_and_nothing_is_touched(
    tmp_path: Path, said: Compression, is_: str
) -> None:
    packed = {"gzip": gzip.compress(CONTENT), "bz2": bz2.compress(CONTENT)}.get(is_, CONTENT)
    medium = Memory()

    with pytest.raises(RecipeFault, match=f"is not packed with {said}: its first bytes are those of {is_}"):
        Flash(image=made(tmp_path / "disk", packed), compression=said, storage=medium).run(StepContext())
    assert medium.calls == []


MIXED = noise(BLOCK + 8192) + bytes(BLOCK) + noise(5000)


def bmap_of(content: bytes, *ranges: tuple[int, int], version: str = "2.0", sums: bool = True) -> bytes:
    """Write a block map with blocks of 4 KiB, as bmaptool does."""
    lines = []
    for first, last in ranges:
        part = content[first * 4096 : (last + 1) * 4096]
        said = f' chksum="{hashlib.sha256(part).hexdigest()}"' if sums else ""
        lines.append(
            f"<Range{said}> {first}-{last} </Range>" if last > first else f"<Range{said}>{first}</Range>"
        )
    text = (
        f'<?xml version="1.0" ?>\n<bmap version="{version}">\n<ImageSize> {len(content)} </ImageSize>\n'
        f"<BlockSize> 4096 </BlockSize>\n<ChecksumType> sha256 </ChecksumType>\n"
        f"<BmapFileChecksum> {'0' * 64} </BmapFileChecksum>\n<BlockMap>{''.join(lines)}</BlockMap>\n</bmap>\n"
    )
    return text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest()).encode()


HEAD, TAIL = (0, BLOCK // 4096 + 1), ((2 * BLOCK + 8192) // 4096, (2 * BLOCK + 8192) // 4096 + 1)
MAPPED = bmap_of(MIXED, HEAD, TAIL)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_only_what_a_block_map_names_is_written(tmp_path: Path, pack: Packer) -> None:
    image, bmap = made(tmp_path / "disk", pack(MIXED)), made(tmp_path / "disk.bmap", MAPPED)
    medium = Memory(3 * BLOCK)
    medium.content[:] = b"\xff" * len(medium.content)

    result = Flash(image=image, bmap=bmap, storage=medium).run(StepContext())

    first, last = MIXED[: BLOCK + 8192], MIXED[2 * BLOCK + 8192 :]
    assert medium.content[: len(first)] == first
    assert set(medium.content[len(first) : 2 * BLOCK + 8192]) == {0xFF}
    assert medium.content[2 * BLOCK + 8192 : len(MIXED)] == last
    assert (result.bytes_written, result.verified) == (len(first) + len(last), "full")
    assert result.sha256 == hashlib.sha256(first + last).hexdigest()


@pytest.mark.parametrize(
    ("bmap", "message"),
    [
        (
            bmap_of(bytes([MIXED[0] ^ 1]) + MIXED[1:], HEAD, TAIL),
            f"not that of its bmap: bytes 0 to {BLOCK + 8192} differ",
        ),
        (bmap_of(MIXED + b"more", HEAD), "the image has 8401800 bytes, its bmap is for one of 8401804"),
        (MAPPED.replace(b"4096", b"8192"), "its own checksum is wrong"),
        (bmap_of(MIXED, TAIL, HEAD), "its ranges are not in order"),
        (bmap_of(MIXED, (9000, 9001)), "is not within the image"),
        (bmap_of(MIXED, HEAD, version="3.0"), "a bmap of the format 3.0"),
        (b"<bmap", "this is no bmap"),
    ],
)
def test_a_block_map_that_does_not_fit_is_refused(tmp_path: Path, bmap: bytes, message: str) -> None:
    image = made(tmp_path / "disk", MIXED)

    with pytest.raises(RecipeFault, match=message):
        flashed(image, bmap=made(tmp_path / "disk.bmap", bmap))


def test_old_block_maps_without_checksums_are_read(tmp_path: Path) -> None:
    old = bmap_of(MIXED, HEAD, TAIL, version="1.1", sums=False)
    start, end = old.index(b"<ChecksumType>"), old.index(b"<BlockMap>")

    _, content = flashed(made(tmp_path / "disk", MIXED), bmap=made(tmp_path / "b", old[:start] + old[end:]))

    assert content[: BLOCK + 8192] == MIXED[: BLOCK + 8192]


def sums(*names: str) -> str:
    return "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names)


@pytest.mark.parametrize("form", ["{sum}\n", "{sum} *disk.img\n", "{others}{sum}  ./disk.img\n{others}"])
def test_a_checksum_may_be_in_a_file_of_many(tmp_path: Path, form: str) -> None:
    image = made(tmp_path / "disk.img", CONTENT)
    listed = made(tmp_path / "SHA256SUMS", form.format(sum=SHA256, others=sums("a", "b")).encode())

    assert flashed(image, sha256=Checksum(listed))[0].sha256 == SHA256


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (sums("a", "b"), "is no SHA-256 checksum of disk.img"),
        ("<html>not found</html>", "is no SHA-256 checksum of disk.img"),
        ("", "is no SHA-256 checksum of disk.img"),
        (sums("disk.img"), "expected"),
    ],
)
def test_a_file_without_the_right_checksum_is_refused_and_nothing_is_touched(
    tmp_path: Path, listed: str, message: str
) -> None:
    image, medium = made(tmp_path / "disk.img", CONTENT), Memory()

    with pytest.raises(RecipeFault, match=message):
        Flash(image=image, sha256=Checksum(made(tmp_path / "x.sha256", listed.encode())), storage=medium).run(
            StepContext()
        )
    assert medium.calls == []


class Tool(Programmer):
    """Takes what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str, bytes]] = []

    def program(self, image: str, target: str, context: Context) -> None:
        del context
        if target == "fuses":
            raise ValueError("there are no fuses")
        self.given.append((Path(image).name, target, Path(image).read_bytes()))


def test_a_tool_gets_whole_images_that_are_not_packed(tmp_path: Path) -> None:
    tool = Tool()
    parts = {
        "boot": Part(image=made(tmp_path / "boot.bin.xz", lzma.compress(CONTENT))),
        "app": Part(image=made(tmp_path / "app.elf", b"\x7fELF")),
    }

    result = Flash(targets=parts, storage=tool).run(StepContext())

    assert tool.given == [("boot.bin", "boot", CONTENT), ("app.elf", "app", b"\x7fELF")]
    assert (result.verified, result.bytes_written) == ("none", len(CONTENT) + 4)
    assert result.parts["boot"] == SHA256
    with pytest.raises(RecipeFault, match="there are no fuses"):
        Flash(image=parts["app"].image, target="fuses", storage=tool).run(StepContext())


@pytest.mark.peer("tmpfs")
def test_a_disk_of_the_host_that_is_full_is_named_and_nothing_is_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, tool = made(tmp_path / "disk.xz", lzma.compress(CONTENT)), Tool()
    with mounted("tmpfs", tmp_path / "small", "-t", "tmpfs", "-o", "size=2m") as small:
        monkeypatch.setattr("tempfile.tempdir", str(small))
        with pytest.raises(
            LabError, match="no room on the host to unpack disk.xz: No space left on device; 0"
        ):
            Flash(image=image, storage=tool).run(StepContext())
    assert tool.given == []


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"image": None, "targets": {}}, ["image"]),
        ({"image": "x", "targets": {"a": "y"}}, ["image"]),
        (
            {"image": None, "targets": {"a": "y"}, "sha256": "0", "offset": 1, "target": ""},
            ["sha256", "offset"],
        ),
        ({"image": "x", "targets": {}, "sha256": "0"}, []),
        ({"targets": {}}, []),
    ],
)
def test_it_has_to_be_clear_what_is_written_where(given: dict[str, object], wrong: list[str]) -> None:
    assert [each.argument for each in Flash.misfits(given)] == wrong
