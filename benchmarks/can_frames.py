"""A sender in a process of its own: frames of python-can's interface `serial`, through a pty.

can_frames.py DESCRIPTOR COUNT RATE      (RATE 0: as fast as they are taken)
"""

import os
import struct
import sys
import time

CHUNK = 8


def frame(number: int) -> bytes:
    return b"\xaa" + struct.pack("<IBI", 0, 8, 0x100) + struct.pack("<Q", number) + b"\xbb"


def main() -> None:
    descriptor, count, rate = (int(each) for each in sys.argv[1:])
    sys.stdin.read(1)
    began = time.monotonic()
    for first in range(0, count, CHUNK):
        if rate:
            time.sleep(max(0.0, began + first / rate - time.monotonic()))
        data = b"".join(frame(number) for number in range(first, min(first + CHUNK, count)))
        while data:
            data = data[os.write(descriptor, data) :]
    sys.stdin.read()


if __name__ == "__main__":
    main()
