"""A debug probe by probe-rs: what the program is called with, and what becomes of what it says."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from support.context import StepContext
from support.plain_context import PlainContext
from support.probe import Probe

from runner.api import Context, Duration, Failed, FilePath, LabError, Module, RecipeFault, Unreachable
from runner.modules.debug.probe_erase import ProbeErase
from runner.modules.debug.probe_flash import ProbeFlash
from runner.modules.debug.probe_info import ProbeInfo
from runner.modules.debug.probe_read import ProbeRead
from runner.modules.debug.probe_reset import ProbeReset
from runner.modules.debug.probe_rs import words_of
from runner.modules.debug.probe_write import ProbeWrite
from runner.modules.storage.flash import Flash

FOUND = (
    "Probing target via SWD\n\nARM Chip with debug port Default:\nDebug Port: DPv2, DP Designer: ARM Ltd\n"
)


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path)


@pytest.fixture
def context() -> Context:
    return PlainContext()


def test_what_is_found_is_told(probe: Probe, context: Context) -> None:
    probe.tell(stdout=FOUND)
    found = ProbeInfo(probe=probe.driver()).run(context)

    assert found.text == FOUND
    assert found.values == {"Debug Port": "DPv2, DP Designer: ARM Ltd"}
    assert probe.calls == [["info"]]


def test_options_are_in_the_environment_beside_what_the_host_has(probe: Probe, context: Context) -> None:
    driver = probe.driver(
        chip="RP2350", probe="2e8a:000c:57", protocol="swd", speed=4000, connect_under_reset=True
    )
    ProbeReset(probe=driver).run(context)

    assert {name: text for name, text in probe.environment.items() if name.startswith("PROBE_RS_")} == {
        "PROBE_RS_NON_INTERACTIVE": "true",
        "PROBE_RS_CHIP": "RP2350",
        "PROBE_RS_PROBE": "2e8a:000c:57",
        "PROBE_RS_PROTOCOL": "swd",
        "PROBE_RS_SPEED": "4000",
        "PROBE_RS_CONNECT_UNDER_RESET": "true",
    }
    assert probe.environment["PATH"] == os.environ["PATH"]
    assert probe.environment["HOME"] == os.environ["HOME"]


def test_an_option_that_was_not_given_is_not_in_the_environment(probe: Probe, context: Context) -> None:
    ProbeErase(probe=probe.driver()).run(context)

    assert probe.calls == [["erase"]]
    assert [name for name in probe.environment if name.startswith("PROBE_RS_")] == [
        "PROBE_RS_NON_INTERACTIVE"
    ]


def test_an_image_is_written_read_back_and_started(probe: Probe, context: Context, tmp_path: Path) -> None:
    image = tmp_path / "firmware.bin"
    image.write_bytes(b"code")
    module = ProbeFlash(
        image=str(image), format="bin", base_address=0x08000000, chip_erase=True, probe=probe.driver()
    )
    flashed = module.run(context)

    assert (flashed.size, flashed.sha256) == (4, hashlib.sha256(b"code").hexdigest())
    options = ["--binary-format", "bin", "--base-address", "0x8000000", "--chip-erase", "--verify"]
    assert probe.calls == [["download", "--disable-progressbars", *options, str(image)], ["reset"]]


def test_the_probe_finds_out_what_an_image_is(probe: Probe, context: Context, tmp_path: Path) -> None:
    image = tmp_path / "firmware.elf"
    image.write_bytes(b"code")
    ProbeFlash(image=str(image), verify=False, reset_after=False, probe=probe.driver()).run(context)

    assert probe.calls == [["download", "--disable-progressbars", str(image)]]


def test_another_image_than_was_asked_for_is_not_written(
    probe: Probe, context: Context, tmp_path: Path
) -> None:
    image = tmp_path / "firmware.elf"
    image.write_bytes(b"code")
    with pytest.raises(RecipeFault, match="expected 000000000000…: nothing was written"):
        ProbeFlash(image=str(image), sha256="0" * 64, probe=probe.driver()).run(context)

    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"image": "x.bin", "format": "bin", "base_address": None}, "base_address"),
        ({"image": "x.bin", "format": "auto", "base_address": 1}, "format"),
        ({"image": "x.elf", "format": "auto", "base_address": 1}, "base_address"),
    ],
)
def test_an_address_belongs_to_a_binary_and_a_binary_to_an_address(
    given: dict[str, object], argument: str
) -> None:
    assert [each.argument for each in ProbeFlash.misfits(given)] == [argument]


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_what_is_written_to_memory_is_read(probe: Probe, context: Context, width: int, table: bool) -> None:
    probe.tell(table=table)
    driver = probe.driver()
    write = ProbeWrite(address="0x20000000", words=[0xA1, "0xb2"], width=width, probe=driver)
    first, again = write.run(context), write.run(context)
    found = ProbeRead(address=0x20000000, count=3, width=width, expect=[0xA1, 0xB2], probe=driver).run(
        context
    )

    assert (first.before, first.changed, again.changed) == ([0, 0], True, False)
    assert found.words == [0xA1, 0xB2, 0]
    assert found.hex[0] == f"0x{0xA1:0{width // 4}x}"
    assert found.bytes == b"".join(each.to_bytes(width // 8, "little") for each in (0xA1, 0xB2, 0))
    assert ["write", f"b{width}", "0x20000000", "0xa1", "0xb2"] in probe.calls


def test_words_that_differ_fail_with_their_place(probe: Probe, context: Context) -> None:
    driver = probe.driver()
    ProbeWrite(address=0x100, words=[1, 0x12], width=16, probe=driver).run(context)
    ProbeRead(address=0x100, expect=[1, 0x10], mask=0xF0, width=16, probe=driver).run(context)
    with pytest.raises(Failed, match="0x102 holds 0x0012, expected 0x0010"):
        ProbeRead(address=0x100, expect=[1, 0x10], width=16, probe=driver).run(context)


def test_memory_that_does_not_keep_it_is_an_error(probe: Probe, context: Context) -> None:
    probe.tell(forgets=True)
    with pytest.raises(LabError, match="0x100 does not keep what is written: it holds 0x0"):
        ProbeWrite(address=0x100, words=[1], probe=probe.driver()).run(context)


@pytest.mark.parametrize(
    "make",
    [
        lambda driver: ProbeInfo(probe=driver),
        lambda driver: ProbeReset(probe=driver),
        lambda driver: ProbeErase(probe=driver),
        lambda driver: ProbeFlash(image=__file__, probe=driver),
        lambda driver: ProbeRead(address=0, probe=driver),
        lambda driver: ProbeWrite(address=0, words=[1], probe=driver),
    ],
)
def test_a_program_that_fails_is_an_error_with_its_status_and_words(
    probe: Probe, context: Context, make: object
) -> None:
    probe.tell(status=3, stderr="       Error: The flashing procedure failed\n\n  Caused by: x\n")
    module = make(probe.driver())
    assert isinstance(module, Module)
    with pytest.raises(
        LabError, match="exit status 3, expected 0: probe-rs .*: The flashing procedure"
    ) as error:
        module.run(context)

    assert error.value.evidence["status"] == 3
    assert "Caused by: x" in str(error.value.evidence["stderr"])


def test_a_probe_that_is_not_there_is_unreachable(probe: Probe, context: Context) -> None:
    probe.tell(status=1, stderr="Error: No connected probes were found.\n")
    with pytest.raises(Unreachable, match="No connected probes were found"):
        ProbeInfo(probe=probe.driver()).run(context)


def test_several_probes_want_one_to_be_named(probe: Probe, context: Context) -> None:
    probe.tell(status=1, stderr="Error: Found multiple probes, non-interactive\n")
    with pytest.raises(LabError) as error:
        ProbeInfo(probe=probe.driver()).run(context)

    assert error.value.hint == "say which one it is: option 'probe', as VID:PID:SERIAL"


def test_a_program_that_is_not_there_is_unreachable(probe: Probe, context: Context) -> None:
    probe.path.unlink()
    with pytest.raises(Unreachable, match="cannot start '.*/probe-rs'"):
        ProbeInfo(probe=probe.driver()).run(context)


def test_a_program_that_does_not_end_is_ended(probe: Probe, context: Context) -> None:
    probe.tell(seconds=100)
    with pytest.raises(LabError, match="probe-rs erase did not end within 200ms") as error:
        ProbeErase(timeout=Duration("200ms"), probe=probe.driver()).run(context)

    assert error.value.hint == "give it more time with 'timeout'"


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("", "printed 0 words, expected 1"),
        ("00000001 00000002\n", "printed 2 words, expected 1"),
        ("WARN something\n", "printed no words of 32 bits: 'WARN' is none"),
        ("123456789\n", "printed no words of 32 bits: '123456789' is none"),
    ],
)
def test_what_is_no_memory_is_an_error(probe: Probe, context: Context, printed: str, message: str) -> None:
    probe.tell(stdout=printed)
    with pytest.raises(LabError, match=message):
        ProbeRead(address=0, probe=probe.driver()).run(context)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"address": "here"}, "address: 'here' is no number"),
        ({"address": -1}, "address: -1 is no address or word"),
        ({"address": 0, "width": 8, "expect": [256]}, "expect: 0x100 does not fit into 8 bits"),
    ],
)
def test_what_no_memory_has_is_the_recipes_fault(
    probe: Probe, context: Context, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeFault, match=message):
        ProbeRead(probe=probe.driver(), **arguments).run(context)


def test_flash_may_use_it(probe: Probe, tmp_path: Path) -> None:
    driver, image = probe.driver(), tmp_path / "x.bin"
    image.write_bytes(b"code")
    Flash(image=FilePath(image), target="0x8000000", storage=driver).run(StepContext())
    with pytest.raises(ValueError, match="invalid literal"):
        driver.program("/images/x.bin", "emmc", StepContext())

    options = ["--binary-format", "bin", "--base-address", "0x8000000", "--verify"]
    assert probe.calls == [["download", "--disable-progressbars", *options, str(image)], ["reset"]]


def test_lines_of_a_table_are_read_as_words_without_their_addresses() -> None:
    assert words_of("20000000: 01 02\n20000002: 03\n", 8) == (1, 2, 3)
