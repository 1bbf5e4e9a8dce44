"""flash, onto a medium in memory."""

import bz2
import gzip
import hashlib
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.context import Memory, StepContext

from runner.api import Cancelled, FilePath, LabError, RecipeFault, Size, Unsupported
from runner.modules.storage.flash import Flash
from runner.modules.storage.image_source import BLOCK

CONTENT = b"SIMOS 6.6\n" * 1000
MANY_BLOCKS = b"".join(bytes([number]) * BLOCK for number in range(20)) + b"end"


@pytest.fixture
def image(tmp_path: Path) -> FilePath:
    return made(tmp_path / "disk.img", CONTENT)


def made(path: Path, content: bytes) -> FilePath:
    path.write_bytes(content)
    return FilePath(path)


def test_the_medium_holds_the_image_and_the_result_says_so(image: FilePath) -> None:
    medium = Memory(65536)

    result = Flash(image=image, storage=medium).run(StepContext())

    assert medium.content[: len(CONTENT)] == CONTENT
    assert medium.calls == ["begin", "write", "flush", "read", "end"]
    assert (result.bytes_written, result.verified) == (len(CONTENT), "full")
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert result.rate > 0


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gzip", "xz", "bz2"])
def test_a_packed_image_is_unpacked_by_its_first_bytes(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(CONTENT)
    checksum = hashlib.sha256(packed).hexdigest()
    medium = Memory()

    result = Flash(image=made(tmp_path / "disk", packed), sha256=checksum, storage=medium).run(StepContext())

    assert bytes(medium.content) == CONTENT
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_packed_image_may_be_written_as_it_is(tmp_path: Path) -> None:
    packed, medium = gzip.compress(CONTENT), Memory()

    Flash(image=made(tmp_path / "disk", packed), compression="none", storage=medium).run(StepContext())

    assert bytes(medium.content) == packed


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gzip", "xz", "bz2"])
@pytest.mark.parametrize("harm", [lambda data: data[:-30], lambda data: data[:40] + b"!!!!" + data[44:]])
def test_a_damaged_image_is_the_recipes_fault(
    tmp_path: Path, pack: Callable[[bytes], bytes], harm: Callable[[bytes], bytes]
) -> None:
    image = made(tmp_path / "disk", harm(pack(bytes(range(256)) * 64)))
    medium = Memory()

    with pytest.raises(RecipeFault, match="disk"):
        Flash(image=image, storage=medium).run(StepContext())
    assert medium.calls[-1] == "end"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python can unpack it")
def test_zstd_without_its_program_is_refused_before_the_medium_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    image, medium = made(tmp_path / "disk.zst", b"\x28\xb5\x2f\xfd rest"), Memory()

    with pytest.raises(Unsupported, match="need the program 'zstd'"):
        Flash(image=image, storage=medium).run(StepContext())
    assert medium.calls == []


@pytest.mark.parametrize("form", ["{}", "{}  disk.img\n", " {}"])
def test_the_right_checksum_may_be_a_line_of_sha256sum(image: FilePath, form: str) -> None:
    checksum = hashlib.sha256(CONTENT).hexdigest().upper()

    result = Flash(image=image, sha256=form.format(checksum), storage=Memory()).run(StepContext())

    assert result.bytes_written == len(CONTENT)


def test_a_wrong_checksum_is_refused_before_the_medium_is_touched(image: FilePath) -> None:
    medium = Memory()

    with pytest.raises(RecipeFault, match="expected 000000000000…") as caught:
        Flash(image=image, sha256="0" * 64, storage=medium).run(StepContext())
    assert medium.calls == []
    assert caught.value.evidence["actual"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("checksum", ["abc", "  ", "0" * 63 + "g"])
def test_what_is_no_checksum_is_refused(image: FilePath, checksum: str) -> None:
    with pytest.raises(RecipeFault, match="is no SHA-256 checksum"):
        Flash(image=image, sha256=checksum, storage=Memory()).run(StepContext())


def test_an_image_that_is_not_on_the_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeFault, match=r"no image .* on the bench's host"):
        Flash(image=FilePath(tmp_path / "absent"), storage=Memory()).run(StepContext())


def test_an_image_that_does_not_fit_is_refused_before_writing(image: FilePath) -> None:
    medium = Memory(len(CONTENT))

    with pytest.raises(RecipeFault, match="nothing was written"):
        Flash(image=image, offset=Size(1), storage=medium).run(StepContext())
    assert medium.calls == ["begin", "end"]


def test_a_packed_image_that_does_not_fit_ends_as_the_medium_says(tmp_path: Path) -> None:
    image, medium = made(tmp_path / "disk", gzip.compress(CONTENT)), Memory(16)

    with pytest.raises(LabError, match="full"):
        Flash(image=image, storage=medium).run(StepContext())
    assert medium.calls[-1] == "end"


def test_an_offset_leaves_what_is_before_it_alone(image: FilePath) -> None:
    medium = Memory(65536)

    Flash(image=image, offset=Size("1KiB"), storage=medium).run(StepContext())

    assert medium.content[:1024] == bytes(1024)
    assert medium.content[1024 : 1024 + len(CONTENT)] == CONTENT


def test_a_target_is_passed_on(image: FilePath) -> None:
    medium = Memory(targets=("rootfs",))

    Flash(image=image, target="rootfs", storage=medium).run(StepContext())

    assert medium.calls[0] == "begin rootfs"


def test_an_unknown_target_is_the_recipes_fault(image: FilePath) -> None:
    with pytest.raises(RecipeFault, match="no target 'rootfs'"):
        Flash(image=image, target="rootfs", storage=Memory()).run(StepContext())


def test_a_medium_that_does_not_keep_a_byte_is_the_labs_fault_and_the_byte_is_named(image: FilePath) -> None:
    with pytest.raises(LabError) as caught:
        Flash(image=image, offset=Size(8), storage=Memory(65536, worn=(1234,))).run(StepContext())

    wanted = CONTENT[1226:1242]
    assert f"byte 1234 is 00, expected {wanted[:1].hex().upper()}" in caught.value.message
    assert caught.value.evidence["offset"] == 1234
    assert caught.value.evidence["expected"] == wanted.hex(" ")


def test_verify_none_does_not_look(image: FilePath) -> None:
    result = Flash(image=image, verify="none", storage=Memory(65536, worn=(3,))).run(StepContext())

    assert result.verified == "none"


def test_a_sample_reads_a_part_of_a_large_image(tmp_path: Path) -> None:
    medium = Memory()

    Flash(image=made(tmp_path / "disk", MANY_BLOCKS), verify="sample", storage=medium).run(StepContext())

    assert medium.calls.count("write") == 21
    assert medium.calls.count("read") == 3


def test_progress_goes_from_the_first_block_to_the_last(tmp_path: Path) -> None:
    context = StepContext()

    Flash(image=made(tmp_path / "disk", MANY_BLOCKS), verify="none", storage=Memory()).run(context)

    assert context.shown[0] == (BLOCK, len(MANY_BLOCKS))
    assert context.shown[-1] == (len(MANY_BLOCKS), len(MANY_BLOCKS))


def test_a_medium_that_has_the_content_is_not_written_when_it_may_be_skipped(image: FilePath) -> None:
    medium = Memory()
    Flash(image=image, storage=medium).run(StepContext())
    medium.calls.clear()

    result = Flash(image=image, skip_if_same=True, storage=medium).run(StepContext())

    assert medium.calls == ["begin", "read", "end"]
    assert (result.bytes_written, result.verified) == (0, "full")
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_medium_that_differs_in_one_byte_is_written(image: FilePath) -> None:
    medium = Memory()
    Flash(image=image, storage=medium).run(StepContext())
    medium.content[-1] ^= 1

    result = Flash(image=image, skip_if_same=True, storage=medium).run(StepContext())

    assert result.bytes_written == len(CONTENT)
    assert bytes(medium.content) == CONTENT


def test_a_cancel_ends_it_between_two_blocks_and_gives_the_medium_back(tmp_path: Path) -> None:
    context, medium = StepContext(), Memory()
    context.cancel_at_check = 3

    with pytest.raises(Cancelled):
        Flash(image=made(tmp_path / "disk", MANY_BLOCKS), storage=medium).run(context)
    assert medium.calls == ["begin", "write", "write", "write", "end"]
