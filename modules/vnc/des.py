"""The cipher of VNC's passwords: DES (FIPS 46-3), which Python's standard library has not.

Libraries that have it are compiled, and so cannot travel to hosts. It protects nothing: use it for this only.
"""

from __future__ import annotations

from collections.abc import Sequence

_IP = [start - 8 * step for start in (58, 60, 62, 64, 57, 59, 61, 63) for step in range(8)]
_FP = [_IP.index(place) + 1 for place in range(1, 65)]
_E = [(4 * box + place - 2) % 32 + 1 for box in range(8) for place in range(1, 7)]
_P = [int(n) for n in "16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10".split()]  # noqa: SIM905 - a table
_P += [int(n) for n in "2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25".split()]  # noqa: SIM905
_C = [57 - 8 * (n % 8) + n // 8 for n in range(28)]
_D = [63 - 8 * (n % 8) + -(n // 8) for n in range(24)] + [28, 20, 12, 4]
_PC2 = [int(n) for n in "14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2".split()]  # noqa: SIM905
_PC2 += [int(n) for n in "41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32".split()]  # noqa: SIM905
_BOXES = (
    "E4D12FB83A6C59070F74E2D1A6CB953841E8D62BFC973A50FC8249175B3EA06D",
    "F18E6B34972DC05A3D47F28EC01A69B50E7BA4D158C6932FD8A13F42B67C05E9",
    "A09E63F51DC7B428D709346A285ECBF1D6498F30B12C5AE71AD069874FE3B52C",
    "7DE3069A1285BC4FD8B56F03472C1AE9A690CB7DF13E52843F06A1D8945BC72E",
    "2C417AB6853FD0E9EB2C47D150FA3986421BAD78F9C5630EB8C71E2D6F09A453",
    "C1AF92680D34E75BAF427C9561DE0B389EF528C3704A1DB6432C95FABE17608D",
    "4B2EF08D3C975A61D0B7491AE35C2F8614BDC37EAF6805926BD814A7950FE23C",
    "D2846FB1A93E50C71FD8A374C56B0E927B419CE206ADF35821E74A8DFC90356B",
)
_HALF = (1 << 28) - 1


def encrypted(key: bytes, block: bytes) -> bytes:
    """Encrypt one block of 8 bytes with a key of 8 bytes.

    >>> encrypted(bytes.fromhex("133457799BBCDFF1"), bytes.fromhex("0123456789ABCDEF")).hex()
    '85e813540f0ab405'
    """
    bits = int.from_bytes(key, "big")
    c, d = _permuted(bits, 64, _C), _permuted(bits, 64, _D)
    mixed = _permuted(int.from_bytes(block, "big"), 64, _IP)
    left, right = mixed >> 32, mixed & 0xFFFFFFFF
    for number in range(16):
        by = 1 if number in (0, 1, 8, 15) else 2
        c, d = _turned(c, by), _turned(d, by)
        left, right = right, left ^ _round(right, _permuted(c << 28 | d, 56, _PC2))
    return _permuted(right << 32 | left, 64, _FP).to_bytes(8, "big")


def _round(half: int, key: int) -> int:
    wide, found = _permuted(half, 32, _E) ^ key, 0
    for number, box in enumerate(_BOXES):
        six = wide >> 42 - 6 * number & 63
        row, column = (six & 32) >> 4 | six & 1, six >> 1 & 15
        found = found << 4 | int(box[row * 16 + column], 16)
    return _permuted(found, 32, _P)


def _turned(half: int, by: int) -> int:
    return (half << by | half >> 28 - by) & _HALF


def _permuted(value: int, size: int, table: Sequence[int]) -> int:
    found = 0
    for place in table:
        found = found << 1 | value >> size - place & 1
    return found
