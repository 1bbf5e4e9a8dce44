"""A control unit in a process of its own: answers 0x123 with 0x456 on UDP multicast until its stdin ends."""

import sys

import can


def main() -> None:
    bus = can.Bus(interface="udp_multicast", channel=sys.argv[1])

    def answer(message: can.Message) -> None:
        if message.arbitration_id == 0x123:
            data = bytes([message.data[0] + 0x40]) + bytes(message.data[1:])
            bus.send(
                can.Message(
                    arbitration_id=0x456,
                    is_extended_id=False,
                    data=data,
                    is_fd=message.is_fd,
                    bitrate_switch=message.bitrate_switch,
                )
            )

    notifier = can.Notifier(bus, [answer], timeout=0.05)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    notifier.stop()
    bus.shutdown()


if __name__ == "__main__":
    main()
