"""Uses the CAN driver on UDP multicast and prints what it found, as JSON."""

import json
import sys
import time

from support.plain_context import PlainContext

from runner.api import ByteString, CanFrame, Duration
from runner.modules.can.can import Can


def main() -> None:
    bus = Can(interface="udp_multicast", channel=sys.argv[1], fd=True)
    bus.open()
    answers = []
    seconds = []
    for value in range(50):
        started = time.monotonic()
        number = bus.send(CanFrame(0x123, ByteString([value, 2]), fd=True, bitrate_switch=True), Duration(60))
        answer = bus.next(number, 60.0, PlainContext())
        seconds.append(time.monotonic() - started)
        answers.append(None if answer is None else [answer.id, answer.data.hex(), answer.bitrate_switch])
    info = dict(bus.info())
    bus.close()
    json.dump({"answers": answers, "info": info, "median": sorted(seconds)[25]}, sys.stdout)


if __name__ == "__main__":
    main()
