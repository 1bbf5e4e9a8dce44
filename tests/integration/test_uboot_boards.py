"""Real boot loaders of many boards, in QEMU: the way to the prompt, commands, variables, power."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command import wait_until
from support.peers import BOARDS, GUEST, UBOOT
from support.plain_context import PlainContext

from runner.api import Duration, Failed, Size, TimedOut
from runner.console import Chunk, Console, ConsoleSettings, Entered, Interrupt, UbootSettings
from runner.modules.machine.options import Disk, Network
from runner.modules.machine.qemu import Qemu
from runner.modules.uboot.uboot_boot import UbootBoot
from runner.modules.uboot.uboot_dhcp import UbootDhcp
from runner.modules.uboot.uboot_env import UbootEnv
from runner.modules.uboot.uboot_load import Loaded, UbootLoad

LIMIT = Duration("60s")
PACKAGED = UBOOT.parents[1]
VALUES = ["plain", 'it\'s; "two" words  ', "$x ${y} \\z", "# => ==> $?", "one\ntwo", "=a=b"]


@dataclass
class Kind:
    """How a board is made, and what is special about it."""

    options: dict[str, object]
    image: str = ""
    """The file in `.cache/boards` that its medium begins with."""
    at: int = 0
    spl: bool = False
    settings: UbootSettings | None = None


BOARDS_UNDER_TEST = {
    "qemu": Kind({"bios": str(UBOOT)}),
    "uboot arm": Kind({"arch": "arm", "bios": str(PACKAGED / "qemu_arm" / "u-boot.bin")}),
    "uboot riscv64": Kind({"arch": "riscv64", "bios": str(PACKAGED / "qemu-riscv64" / "u-boot.bin")}),
    "uboot riscv64 smode": Kind(
        {"arch": "riscv64", "kernel": str(PACKAGED / "qemu-riscv64_smode" / "u-boot.bin")}
    ),
    "uboot x86": Kind({"arch": "i386", "machine": "pc", "bios": str(PACKAGED / "qemu-x86" / "u-boot.rom")}),
    "uboot x86_64": Kind(
        {"arch": "x86_64", "machine": "pc", "bios": str(PACKAGED / "qemu-x86_64" / "u-boot.rom")}, spl=True
    ),
    "raspi3b": Kind(
        {
            "machine": "raspi3b",
            "kernel": str(BOARDS / "rpi_3.bin"),
            "memory": Size("1GiB"),
            "cpus": 4,
            "serial_port": 1,
            "network": None,
            "disk": Disk(capacity=Size("16MiB"), attach="sd"),
        },
        settings=UbootSettings(prompt="U-Boot> "),
    ),
    "orangepi": Kind(
        {
            "arch": "arm",
            "machine": "orangepi-pc",
            "memory": Size("1GiB"),
            "cpus": 4,
            "disk": Disk(capacity=Size("64MiB"), attach="sd"),
        },
        image="orangepi.bin",
        at=8 * 1024,
        spl=True,
    ),
}


class Bench:
    """A machine with its console read from."""

    def __init__(self, kind: Kind) -> None:
        settings = ConsoleSettings(uboot=kind.settings or UbootSettings())
        self.machine = Qemu(settings=settings, **kind.options)  # type: ignore[arg-type]
        self.machine.open()
        if kind.image:
            self.machine.storage().write(kind.at, (BOARDS / kind.image).read_bytes())
        self.console: Console = self.machine.console()
        self.console.start(self._hear, "board.console")
        self.context = PlainContext()
        self.printed = bytearray()

    def _hear(self, chunk: Chunk) -> None:
        self.printed += chunk.data

    def power_cycle(self) -> None:
        self.machine.power().off()
        self.console.power_mark()
        self.machine.power().on()

    def enter(self, interrupt: Interrupt | None = None) -> Entered:
        self.power_cycle()
        return self.console.enter_uboot(self.context, within=LIMIT, interrupt_by=interrupt)

    def close(self) -> None:
        self.console.stop()
        self.machine.close()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    yield bench
    bench.close()


def every_board() -> list[object]:
    return [
        pytest.param(kind, kind, id=name.replace(" ", "-"), marks=pytest.mark.peer(name))
        for name, kind in BOARDS_UNDER_TEST.items()
    ]


@pytest.mark.parametrize(("bench", "kind"), every_board(), indirect=["bench"])
def test_a_board_is_stopped_obeys_and_starts_anew(bench: Bench, kind: Kind) -> None:
    entered = bench.enter()

    boot = entered.boot
    assert entered.version.startswith("U-Boot 20")
    assert entered.hush
    assert boot.first_byte is not None
    assert boot.uboot is not None
    assert boot.prompt is not None
    assert (boot.spl is not None) == kind.spl
    assert boot.first_byte <= (boot.spl or boot.uboot) <= boot.uboot < boot.prompt <= LIMIT
    assert b"switch to partitions" not in bench.printed
    told = bench.console.stages_reached()
    assert [name for name, _ in told][-2:] == ["boot.uboot", "boot.prompt"]

    run, context = bench.console.run_uboot, bench.context
    assert (
        run("echo one; false", context, timeout=LIMIT).status,
        run("true", context, timeout=LIMIT).status,
    ) == (1, 0)
    assert "Unknown command" in run("nosuchcommand", context, timeout=LIMIT).output
    for value in VALUES:
        env = UbootEnv(set={"trial": value}, console=bench.console).run(context)
        assert env.values["trial"] == value
    UbootEnv(set={"zz": "one\n\ntwo \\z"}, console=bench.console).run(context)
    every = UbootEnv(all=True, timeout=LIMIT, console=bench.console).run(context)
    assert every.values["trial"] == VALUES[-1]
    assert (
        every.values["bootcmd"]
        == UbootEnv(get="bootcmd", console=bench.console).run(context).values["bootcmd"]
    )
    assert max(every.values) == "zz"
    assert every.values["zz"] == "one\n\ntwo \\z"
    assert UbootEnv(set={"trial": None}, console=bench.console).run(context).changed

    run("setenv lost 1", context, timeout=LIMIT)
    again = bench.enter()
    assert again.boot.prompt is not None
    assert UbootEnv(get="lost", console=bench.console).run(context).values["lost"] is None


@pytest.mark.parametrize(
    ("bench", "kind"),
    [each for each in every_board() if each.id in ("qemu", "uboot-arm")],  # type: ignore[attr-defined]
    indirect=["bench"],
)
def test_an_environment_that_cannot_be_kept_is_told(bench: Bench, kind: Kind) -> None:
    del kind
    bench.enter()

    with pytest.raises(Failed, match=r"is changed but not saved, saveenv said .*Failed \(1\)"):
        UbootEnv(set={"kept": "1"}, save=True, timeout=LIMIT, console=bench.console).run(bench.context)


@pytest.mark.peer("orangepi")
@pytest.mark.parametrize("bench", [BOARDS_UNDER_TEST["orangepi"]], indirect=True)
def test_a_board_that_hangs_in_reset_comes_back_by_power_alone(bench: Bench) -> None:
    bench.enter()
    with pytest.raises((TimedOut, Failed)):
        bench.console.run_uboot("reset", bench.context, timeout=Duration("1s"))
    wait_until(lambda: b"System reset not supported" in bench.printed, "it says that it hangs")
    with pytest.raises(Failed, match="no U-Boot prompt answers"):
        bench.console.run_uboot("version", bench.context, timeout=Duration("3s"))

    assert bench.enter().boot.spl is not None
    assert bench.console.run_uboot("version", bench.context, timeout=LIMIT).status == 0


@pytest.mark.peer("qemu", "guest")
@pytest.mark.parametrize(
    "bench",
    [
        Kind(
            {
                "bios": str(UBOOT),
                "memory": Size("512MiB"),
                "network": Network(tftp=str(GUEST), bootfile="Image"),
                "disk": Disk(capacity=Size("16MiB")),
            }
        )
    ],
    indirect=True,
)
def test_a_kernel_comes_over_the_network_and_its_boot_is_timed_to_the_login(bench: Bench) -> None:
    bench.enter()
    console, context = bench.console, bench.context

    lease = UbootDhcp(console=console).run(context)
    assert (lease.address, lease.server, lease.bootfile) == ("10.0.2.15", "10.0.2.2", "Image")
    assert console.get_env("autoload", context, timeout=LIMIT) is None

    with pytest.raises(Failed, match=r"no such file .*File not found"):
        UbootLoad(file="nosuch", console=console).run(context)
    with pytest.raises(Failed, match="no such partition|no such device|no filesystem"):
        UbootLoad(file="Image", method="storage", source="virtio 0:1", console=console).run(context)
    with pytest.raises(Failed, match="there is no kernel image at that address"):
        UbootBoot(command="booti 0x50000000", console=console).run(context)
    with pytest.raises(Failed, match="bad image|there is no"):
        UbootBoot(command="bootm 0x50000000", console=console).run(context)

    kernel = GUEST / "Image"
    loaded = UbootLoad(file="Image", address="${kernel_addr_r}", console=console).run(context)
    assert loaded.size == kernel.stat().st_size
    initrd = (GUEST / "initrd.gz").read_bytes()
    place = "${ramdisk_addr_r}"
    with pytest.raises(Failed, match="expected 12345678"):
        UbootLoad(file="initrd.gz", address=place, crc32="12345678", console=console).run(context)
    with pytest.raises(Failed, match=f"has {len(initrd)} bytes, expected 1"):
        UbootLoad(file="initrd.gz", address=place, size=Size(1), console=console).run(context)
    UbootLoad(
        file="initrd.gz", address=place, size=Size(len(initrd)), crc32=zlib.crc32(initrd), console=console
    ).run(context)

    UbootEnv(set={"bootargs": "console=ttyAMA0"}, console=console).run(context)
    booted = UbootBoot(
        command="booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}",
        within=LIMIT,
        console=console,
    ).run(context)
    assert "Booting Linux on physical CPU" in booted.first_line
    assert booted.elapsed <= (booted.boot.kernel or 0)

    login = console.login(context, user="root", password="toor", within=LIMIT)
    boot = login.boot
    order = [boot.first_byte, boot.uboot, boot.prompt, boot.kernel, boot.userspace, boot.login]
    assert None not in order
    assert order == sorted(order)  # type: ignore[type-var]


@pytest.mark.peer("qemu", "dosfs")
@pytest.mark.parametrize("attach", ["virtio", "usb", "nvme"])
def test_a_file_is_loaded_from_a_filesystem_on_any_bus(tmp_path: Path, attach: str) -> None:
    content = bytes(range(256)) * 100
    disk = tmp_path / "disk.img"
    (tmp_path / "data.bin").write_bytes(content)
    disk.write_bytes(bytes(8 * 2**20))
    subprocess.run(["mkfs.vfat", str(disk)], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", str(disk), str(tmp_path / "data.bin"), "::data.bin"], check=True)
    medium = Disk(path=str(disk), capacity=Size("8MiB"), attach=attach)  # type: ignore[arg-type]
    bench = Bench(Kind({"bios": str(UBOOT), "disk": medium}))
    try:
        bench.enter()

        def load(file: str) -> Loaded:
            source = f"{attach} 0"
            module = UbootLoad(
                file=file,
                method="storage",
                source=source,
                address="0x42000000",
                crc32=zlib.crc32(content),
                console=bench.console,
            )
            return module.run(bench.context)

        assert load("/data.bin").size == len(content)
        with pytest.raises(Failed, match="no such file"):
            load("/nosuch")
    finally:
        bench.close()


@pytest.mark.peer("grub")
def test_grub_is_entered_and_tells_the_status_of_commands(tmp_path: Path) -> None:
    disk = tmp_path / "grub.img"
    disk.write_bytes((BOARDS / "grub.img").read_bytes())
    kind = Kind(
        {
            "arch": "x86_64",
            "machine": "pc",
            "network": None,
            "disk": Disk(path=str(disk), capacity=Size("2MiB"), attach="ide"),
        },
        settings=UbootSettings(loader="grub"),
    )
    bench = Bench(kind)
    try:
        entered = bench.enter()

        assert entered.hush
        assert "GNU GRUB" in entered.version
        assert entered.boot.prompt is not None
        run, context = bench.console.run_uboot, bench.context
        ran = run("echo hello", context, timeout=LIMIT)
        assert (ran.output, ran.status) == ("hello", 0)
        assert run("false", context, timeout=LIMIT).status == 1
        assert run("test 1 = 2", context, timeout=LIMIT).status == 1
        assert run("nosuchcommand", context, timeout=LIMIT).status == 127
        assert run("set trial='two words'; echo \"$trial\"", context, timeout=LIMIT).output == "two words"
    finally:
        bench.close()
