"""The clean view, one byte at a time and many."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.console.track import Track
from runner.console.view import View

KERNEL = b"[    3.141592] usb 1-1: new device\r\n"

PARTS = [
    b"login: ",
    b"root@board:~# ",
    b"\r\n",
    b"\r",
    b"\n",
    b"\x1b[?2004h",
    b"\x1b[1;31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b"\x1b]0;title\x1b\\",
    b"\x1b",
    b"\x1b[6n",
    b"\x1b[",
    b"\x08",
    b"\x00",
    b"\xff\xfd\x03",
    b"\xff",
    b"\xff\xfa",
    b"\x1b]0;a\r\n",
    b"\xc3\xa9",
    b"[",
    b"<6>",
    b"<",
    b"[   12.",
    b"[    1.000001] kernel\r\n",
    b"<4>[    2.000002][   T12] with caller\n",
    b"[  OK  ] Started.",
    b"[1.5, 2.123456] ",
    b"plain text ",
]
streams = st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=30).map(b"".join)
cuts = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=5)


def seen(data: bytes, sizes: list[int]) -> tuple[bytes, bytes, list[int], list[int]]:
    """Return both texts, and the raw offset of each of their bytes."""
    view, text, kernel = View(), Track(1 << 20), Track(1 << 20)
    at = step = 0
    pieces = []
    while at < len(data):
        size = sizes[step % len(sizes)]
        pieces += view.feed(data[at : at + size])
        at, step = at + size, step + 1
    for piece in pieces + view.flush():
        (kernel if piece.kernel else text).append(piece)
    return (
        text.slice(0, text.end),
        kernel.slice(0, kernel.end),
        [text.raw_of(offset) for offset in range(text.end)],
        [kernel.raw_of(offset) for offset in range(kernel.end)],
    )


@settings(max_examples=120, deadline=None)
@given(data=streams, sizes=cuts)
def test_the_view_does_not_depend_on_how_the_bytes_were_cut(data: bytes, sizes: list[int]) -> None:
    assert seen(data, sizes) == seen(data, [max(len(data), 1)])


@settings(max_examples=80, deadline=None)
@given(data=streams)
def test_every_clean_byte_knows_its_raw_one(data: bytes) -> None:
    text, kernel, text_raw, kernel_raw = seen(data, [3])

    assert all(
        data[raw] == byte or (byte == 10 and data[raw] == 13)
        for byte, raw in zip(text, text_raw, strict=True)
    )
    assert text_raw == sorted(text_raw)
    assert all(data[raw] == byte or byte == 10 for byte, raw in zip(kernel, kernel_raw, strict=True))


@settings(max_examples=80, deadline=None)
@given(data=streams, at=st.integers(min_value=0, max_value=200))
def test_an_offset_is_found_again_from_its_raw_one(data: bytes, at: int) -> None:
    view, text = View(), Track(1 << 20)
    for piece in view.feed(data) + view.flush():
        if not piece.kernel:
            text.append(piece)
    if text.end:
        offset = at % text.end
        assert text.offset_of(text.raw_of(offset)) <= offset
        assert text.raw_of(text.offset_of(text.raw_of(offset))) >= text.raw_of(offset)


@pytest.mark.parametrize("at", range(40))
def test_a_kernel_message_is_cut_out_of_anything(at: int) -> None:
    around = b"\x1b[?2004h\x1b[32mroot@b\x1b[0m:~# echo [x]\r\n[x]\r\n<done>"
    text, kernel, _, _ = seen(around[:at] + KERNEL + around[at:], [4096])

    assert (text, kernel) == (seen(around, [4096])[0], KERNEL.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b"\x1b[?2004h\x1b[1;32mroot@b\x1b[0m:~# ", b"root@b:~# "),
        (b"\x1b]0;root@b: ~\x07root@b:~# ", b"root@b:~# "),
        (b"a\r\nb\r\r\nc\n\rd", b"a\nb\nc\nd"),
        (b"10%\r20%\r\n", b"10%\n20%\n"),
        (b"stop autoboot:  2 \b\b\b 1 \b\b\b 0 \r\n", b"stop autoboot:  2  1  0 \n"),
        (b"\x00\xffU-Boot", b"U-Boot"),
        (b"\xff\xfb\x01\xff\xfd\x03login: ", b"login: "),
        (b"[1.5] [ 2.25] [3.123456] x\r\n", b"[1.5] [ 2.25] [3.123456] x\n"),
        (b"[  OK  ] Started\r\n", b"[  OK  ] Started\n"),
    ],
)
def test_what_a_terminal_obeys_is_not_in_the_text(raw: bytes, clean: bytes) -> None:
    assert seen(raw, [4096])[0] == clean


@pytest.mark.parametrize(
    "line",
    [
        b"[    3.141592] usb 1-1: new",
        b"[12345.678901] x",
        b"<6>[    3.141592] x",
        b"[    3.141592][   T12] x",
        b"[  3.14][ T12] x",
        b"[ 3.141592] x",
    ],
)
def test_what_the_kernel_says_goes_to_its_own_text(line: bytes) -> None:
    assert seen(b"lo" + line + b"\r\ngin: ", [4096])[:2] == (b"login: ", line + b"\n")


def test_a_stamp_without_an_end_of_line_is_text_after_a_while() -> None:
    data = b"[    3.141592] " + b"x" * 5000

    assert seen(data, [7])[0] == data


def test_a_line_of_a_megabyte_goes_through() -> None:
    data = bytes(range(1, 8)) * 150_000
    view = View()

    pieces = [piece for at in range(0, len(data), 65536) for piece in view.feed(data[at : at + 65536])]

    assert b"".join(piece.data for piece in pieces) == data.translate(None, b"\x07")
