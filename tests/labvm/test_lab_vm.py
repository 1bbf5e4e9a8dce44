"""The lab VM: what other tests rely on is there, and what happens inside is told outside."""

import subprocess
import time
from pathlib import Path

import pytest
from support.lab_vm import inside, modprobe
from support.peers import ROOT

pytestmark = pytest.mark.labvm


def test_it_has_this_checkout_and_keeps_nothing_that_is_written() -> None:
    assert inside()
    assert Path(__file__).is_relative_to(ROOT)
    (ROOT / "written-in-the-lab-vm").touch()


def test_can_frames_cross_from_card_to_card() -> None:
    modprobe("can-raw", "kvaser_pci")
    for card in ("can0", "can1"):
        subprocess.run(["ip", "link", "set", card, "up", "type", "can", "bitrate", "500000"], check=True)
    with subprocess.Popen(["candump", "-n", "1", "can1"], stdout=subprocess.PIPE, text=True) as dump:
        _until_heard("can1")
        subprocess.run(["cansend", "can0", "123#DEADBEEF"], check=True)
        output, _ = dump.communicate(timeout=100)

    assert "DE AD BE EF" in output


def _until_heard(card: str) -> None:
    limit = time.monotonic() + 100
    while card not in Path("/proc/net/can/rcvlist_all").read_text(encoding="ascii"):
        assert time.monotonic() < limit, f"nobody listens to {card}"


@pytest.mark.parametrize(
    "module", ["vcan", "can-isotp", "vhci-hcd", "dummy_hcd", "libcomposite", "vivid", "uhid"]
)
def test_its_kernel_has_the_drivers_of_instruments(module: str) -> None:
    modprobe(module)

    assert Path("/sys/module", module.replace("-", "_")).exists()
