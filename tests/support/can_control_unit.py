"""A control unit in a process of its own: answers 0x123 with 0x456 until its stdin ends.

can_control_unit.py CHANNEL [INTERFACE [OPTION=NUMBER …]]
"""

import sys

import can


def main() -> None:
    channel, interface, *options = (*sys.argv[1:], "udp_multicast")[: max(2, len(sys.argv) - 1)]
    told = {name: int(value) for name, _, value in (each.partition("=") for each in options)}
    bus = can.Bus(interface=interface, channel=channel, ignore_config=True, **told)

    def answer(message: can.Message) -> None:
        if message.arbitration_id == 0x123 and not message.is_extended_id:
            first = bytes([message.data[0] + 0x40]) if message.data else b""
            bus.send(
                can.Message(
                    arbitration_id=0x456,
                    is_extended_id=False,
                    data=first + bytes(message.data[1:]),
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
