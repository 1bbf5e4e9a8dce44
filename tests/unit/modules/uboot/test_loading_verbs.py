"""uboot_dhcp and uboot_load: what they type, and how they judge what is printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.context import StepContext, Terminal, ran

from runner.api import Context, Duration, Failed, RecipeFault, Size, TimedOut
from runner.console import Ran
from runner.modules.uboot.uboot_dhcp import UbootDhcp
from runner.modules.uboot.uboot_load import UbootLoad

SECOND = Duration(1)


class Prompt(Terminal):
    """A prompt at which each command has an answer; what is typed is kept."""

    def __init__(self, answer: Callable[[str], Ran]) -> None:
        super().__init__()
        self.typed: list[str] = []
        self._answer = answer

    def run_uboot(self, command: str, context: Context, *, timeout: Duration) -> Ran:
        del context, timeout
        self.typed.append(command)
        return self._answer(command)


class Network(Prompt):
    """A U-Boot whose DHCP works from the given try on."""

    def __init__(self, works_at: int, said: str = "Retry time exceeded; starting again\n") -> None:
        super().__init__(self._dhcp)
        self.works_at = works_at
        self.said = said
        self.autoload: list[str | None] = []

    def _dhcp(self, command: str) -> Ran:
        assert command == "dhcp"
        self.autoload.append(self.environment.get("autoload"))
        if len(self.typed) < self.works_at:
            return ran(self.said, 1)
        self.environment |= {
            "ipaddr": "10.0.0.7",
            "netmask": "255.255.255.0",
            "serverip": "10.0.0.1",
            "bootfile": "Image",
        }
        return ran("DHCP client bound to address 10.0.0.7 (6 ms)\n")


def test_a_lease_tells_address_server_and_bootfile() -> None:
    at = Network(1)

    lease = UbootDhcp(console=at).run(StepContext())

    assert (lease.address, lease.server, lease.bootfile) == ("10.0.0.7", "10.0.0.1", "Image")
    assert (lease.netmask, lease.gateway, lease.attempts) == ("255.255.255.0", None, 1)


@pytest.mark.parametrize("before", [None, "yes"])
def test_nothing_is_loaded_and_autoload_is_as_before_afterwards(before: str | None) -> None:
    at = Network(1)
    at.environment = {"autoload": before} if before else {}

    UbootDhcp(console=at).run(StepContext())

    assert at.autoload == ["no"]
    assert at.environment.get("autoload") == before


def test_it_is_tried_again_and_each_try_is_told() -> None:
    at, context = Network(3), StepContext()

    assert UbootDhcp(console=at).run(context).attempts == 3
    assert [text for _, text in context.said] == [
        "attempt 1 of 3 to get an address: no answer from the network (Retry time exceeded; starting again)",
        "attempt 2 of 3 to get an address: no answer from the network (Retry time exceeded; starting again)",
    ]


def test_no_lease_fails_with_why_and_an_old_address_does_not_count() -> None:
    at = Network(9, "No ethernet found.\n")
    at.environment = {"ipaddr": "192.168.1.9"}

    with pytest.raises(Failed, match="no address by DHCP after 2 attempts: no network interface"):
        UbootDhcp(retries=1, console=at).run(StepContext())
    assert at.environment == {"ipaddr": "192.168.1.9"}


def test_a_try_that_takes_too_long_is_one_of_them() -> None:
    def hang(command: str) -> Ran:
        raise TimedOut(f"{command} has not ended")

    with pytest.raises(Failed, match="after 1 attempt: nothing within 1s"):
        UbootDhcp(retries=0, timeout=SECOND, console=Prompt(hang)).run(StepContext())


def memory(*, size: int = 100, crc: str = "0badcafe") -> Callable[[str], Ran]:
    """Answer as a U-Boot that has loaded `size` bytes with this sum."""

    def answer(command: str) -> Ran:
        if command.startswith("tftpboot"):
            return ran(f"Loading: #\ndone\nBytes transferred = {size} ({size:x} hex)")
        if command.startswith("load "):
            return ran(f"{size} bytes read in 12 ms (8.1 KiB/s)")
        if command.startswith("crc32"):
            return ran(f"crc32 for 40000000 ... 40000063 ==> {crc}")
        return ran("scanning bus for devices... 1 Storage Device(s) found")

    return answer


def test_a_file_comes_from_the_tftp_server_of_the_lease() -> None:
    at = Prompt(memory())
    at.environment = {"loadaddr": "0x40000000"}

    loaded = UbootLoad(file="Image", console=at).run(StepContext())

    assert at.typed == ["tftpboot 40000000 Image"]
    assert (loaded.address, loaded.size, loaded.crc32) == ("40000000", 100, None)
    assert at.environment == {"loadaddr": "0x40000000"}


def test_another_server_and_address_are_used() -> None:
    at = Prompt(memory())

    UbootLoad(file="dir/my image", server="10.0.0.3", address="0x42000000", console=at).run(StepContext())

    assert at.environment == {"serverip": "10.0.0.3"}
    assert at.typed == ["tftpboot 42000000 'dir/my image'"]


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("virtio 0:1", "virtio scan"),
        ("usb 0:1", "usb start"),
        ("scsi 0:2", "scsi scan"),
        ("nvme 0", "nvme scan"),
    ],
)
def test_a_file_comes_from_a_filesystem_whose_devices_are_looked_for(source: str, first: str) -> None:
    at = Prompt(memory())

    UbootLoad(file="/boot/Image", method="storage", source=source, address="42000000", console=at).run(
        StepContext()
    )

    assert at.typed == [first, f"load {source} 42000000 /boot/Image"]


def test_an_mmc_needs_no_search() -> None:
    at = Prompt(memory())

    UbootLoad(file="Image", method="storage", source="mmc 0:1", address="42", console=at).run(StepContext())

    assert at.typed == ["load mmc 0:1 42 Image"]


def test_size_and_sum_are_compared_when_they_are_given() -> None:
    at = Prompt(memory())

    loaded = UbootLoad(file="x", address="42", size=Size(100), crc32=0x0BADCAFE, console=at).run(
        StepContext()
    )

    assert at.typed[-1] == "crc32 42 64"
    assert loaded.crc32 == "0badcafe"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"size": Size(99)}, "x has 100 bytes, expected 99"),
        ({"crc32": "DEADBEEF"}, "the crc32 of x in memory is 0badcafe, expected deadbeef"),
    ],
)
def test_a_wrong_size_or_sum_fails(wanted: dict[str, object], said: str) -> None:
    module = UbootLoad(file="x", address="42", console=Prompt(memory()), **wanted)  # type: ignore[arg-type]

    with pytest.raises(Failed, match=said):
        module.run(StepContext())


def test_a_failed_load_says_what_u_boot_complained_about() -> None:
    at = Prompt(lambda _command: ran("TFTP error: 'File not found' (1)\nNot retrying...\n", 1))

    with pytest.raises(
        Failed, match=r"expected 0: tftpboot 42 x: no such file \(TFTP error: 'File not found'"
    ):
        UbootLoad(file="x", address="42", console=at).run(StepContext())


def test_without_a_status_the_count_of_bytes_is_the_proof() -> None:
    at = Prompt(lambda _command: ran("** File not found x **\n", None))

    with pytest.raises(Failed, match="did not say how much it has loaded: no such file"):
        UbootLoad(file="x", address="42", console=at).run(StepContext())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "storage"}, "needs a source such as 'mmc 0:1', not ''"),
        ({"method": "storage", "source": "mmc 0:1", "server": "10.0.0.1"}, "a server with method: tftp only"),
        ({"source": "mmc 0:1"}, "a source with method: storage only"),
        ({"address": "there"}, "'there' is not an address"),
        ({"crc32": "xyz"}, "crc32 must have 8 hexadecimal digits, not 'xyz'"),
        ({"file": "it's"}, "holds a quote"),
    ],
)
def test_what_cannot_be_meant_is_the_recipe_s_fault(arguments: dict[str, object], said: str) -> None:
    at = Prompt(memory())
    given: dict[str, object] = {"file": "x", "address": "42", **arguments}

    with pytest.raises(RecipeFault, match=said):
        UbootLoad(console=at, **given).run(StepContext())  # type: ignore[arg-type]
    assert at.typed == []


def test_an_address_that_u_boot_does_not_know_is_named() -> None:
    with pytest.raises(Failed, match="has no variable 'kernel_addr_r'"):
        UbootLoad(file="x", address="${kernel_addr_r}", console=Prompt(memory())).run(StepContext())
