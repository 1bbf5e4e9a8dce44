"""The way to a boot loader's prompt on the simulated board (console.md, section 5 and row A09)."""

from __future__ import annotations

import pytest
from support.simulated import VirtualBoard

from runner.api import Duration, Failed, Secret, TimedOut
from runner.console import ConsoleSettings, Entered, Interrupt, UbootSettings
from runner.modules.sim.options import Faults, Firmware

WITHIN = Duration("30s")
LONG = Duration("60s")


def entered(at: VirtualBoard, interrupt: Interrupt | None = None) -> Entered:
    """Enter U-Boot after a power cycle, with all that row A09 asks for in any variant."""
    at.power_cycle()
    found = at.enter_uboot(at.context, within=WITHIN, interrupt_by=interrupt)

    boot = found.boot
    assert boot.cause == "power"
    assert boot.first_byte is not None
    assert boot.spl is not None
    assert boot.uboot is not None
    assert boot.prompt is not None
    assert 0 < boot.first_byte <= boot.spl < boot.uboot < boot.prompt <= found.elapsed
    assert boot.kernel is None
    assert found.version.startswith("U-Boot 2023.01")
    assert b"Starting kernel" not in at.raw
    ran = at.run_uboot("echo alive; false", at.context, timeout=LONG)
    assert (ran.output, ran.status, ran.resent) == ("alive", 1, 0)
    return found


@pytest.mark.parametrize(
    "keys", ["\x03", "\x1b", " ", "\r", "x"], ids=["ctrl-c", "esc", "space", "enter", "x"]
)
@pytest.mark.parametrize("mode", ["prompt", "flood", "both"])
def test_a09_every_mode_and_key_stops_autoboot(mode: str, keys: str) -> None:
    entered(VirtualBoard(), Interrupt(mode=mode, keys=keys))  # type: ignore[arg-type]


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a09_a_short_boot_delay_or_none_is_stopped(delay: int) -> None:
    found = entered(VirtualBoard(Firmware(bootdelay=delay)))

    assert found.boot.prompt is not None
    assert found.boot.prompt < 0.5


def test_a09_a_boot_delay_of_0_is_lost_when_keys_wait_for_a_text() -> None:
    at = VirtualBoard(Firmware(bootdelay=0, autoboot_text=""))
    at.power_cycle()

    with pytest.raises(Failed, match="was not interrupted, the kernel starts"):
        at.enter_uboot(at.context, within=WITHIN, interrupt_by=Interrupt(mode="prompt"))


def test_a09_no_autoboot_text_is_needed() -> None:
    entered(VirtualBoard(Firmware(autoboot_text="")))


def test_a09_no_autoboot_at_all_is_a_prompt_too() -> None:
    entered(VirtualBoard(Firmware(bootdelay=-1)))


def test_a09_a_board_that_does_not_look_at_keys_is_named() -> None:
    at = VirtualBoard(Firmware(bootdelay=-2))
    at.power_cycle()

    with pytest.raises(Failed, match="the kernel starts") as caught:
        at.enter_uboot(at.context, within=WITHIN)
    assert "bootdelay negative" in caught.value.hint


def test_a09_a_key_that_must_come_twice() -> None:
    entered(VirtualBoard(Firmware(stop_keys="\x1b", stop_count=2)), Interrupt(keys="\x1b"))


def test_a09_one_of_several_keys() -> None:
    entered(VirtualBoard(Firmware(stop_keys=" ")), Interrupt(keys=["\x03", "\x1b", " "]))


def test_a09_a_word_that_stops_autoboot() -> None:
    entered(VirtualBoard(Firmware(stop_keys="stop")), Interrupt(keys="stop"))


@pytest.mark.parametrize("mode", ["prompt", "both"])
def test_a09_a_password_prompt_after_a_key(mode: str) -> None:
    entered(
        VirtualBoard(Firmware(password="let me in")),
        Interrupt(mode=mode, password=Secret("let me in")),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("mode", ["prompt", "both"])
def test_a09_an_encrypted_password_is_typed_before_any_key(mode: str) -> None:
    board = Firmware(typed_password="super secret", autoboot_text="Autoboot in", bootdelay=2)

    entered(VirtualBoard(board), Interrupt(mode=mode, password=Secret("super secret")))  # type: ignore[arg-type]


def test_a09_an_encrypted_password_behind_the_usual_text_needs_keys_to_be_empty() -> None:
    board = Firmware(typed_password="super secret", bootdelay=2)

    entered(VirtualBoard(board), Interrupt(keys="", password=Secret("super secret")))


@pytest.mark.parametrize(
    ("password", "said"),
    [(Secret("wrong"), "refuses the password"), (None, "asks for a password, and none is given")],
)
def test_a09_a_wrong_or_missing_password_is_named(password: Secret | None, said: str) -> None:
    at = VirtualBoard(Firmware(password="right"))
    at.power_cycle()

    with pytest.raises(Failed, match=said) as caught:
        at.enter_uboot(at.context, within=WITHIN, interrupt_by=Interrupt(keys=" ", password=password))
    assert not isinstance(caught.value, TimedOut)


@pytest.mark.parametrize("keys", ["\x03", " "])
def test_a09_a_boot_menu_is_left_for_the_prompt(keys: str) -> None:
    entered(VirtualBoard(Firmware(menu=True, bootdelay=2)), Interrupt(keys=keys))


def test_a09_keys_are_sent_in_the_window_only() -> None:
    at = VirtualBoard(Firmware(bootdelay=3, autoboot_text=""))
    at.power_cycle()

    with pytest.raises(Failed, match="the kernel starts"):
        at.enter_uboot(at.context, within=WITHIN, interrupt_by=Interrupt(window=Duration("20ms")))


def test_a09_echoes_of_superfluous_keys_are_drained() -> None:
    at = VirtualBoard(Firmware(bootdelay=-1))
    entered(at, Interrupt(mode="flood", keys="x", interval=Duration("1ms"), settle=Duration("50ms")))

    assert at.run_uboot("echo clean", at.context, timeout=LONG).output == "clean"


def test_a09_a_board_without_hush_is_entered() -> None:
    at = VirtualBoard(Firmware(hush=False))
    at.power_cycle()
    found = at.enter_uboot(at.context, within=WITHIN)

    assert not found.hush
    assert at.run_uboot("false", at.context, timeout=LONG).status is None


def test_a_reset_loop_ends_at_its_limit_and_is_named() -> None:
    at = VirtualBoard(faults=Faults(reset_loop=True))
    at.power_cycle()

    with pytest.raises(TimedOut, match=r"starts again and again \(its first stage \d+ times\)"):
        at.enter_uboot(at.context, within=Duration("10s"))
    assert at.line.time < 115


def test_a_dead_board_is_named() -> None:
    at = VirtualBoard(faults=Faults(dead=True))
    at.power_cycle()

    with pytest.raises(TimedOut, match="nothing came from the board within 5s"):
        at.enter_uboot(at.context, within=Duration("5s"))


@pytest.mark.parametrize(
    ("prompt", "given"),
    [("U-Boot> ", "U-Boot> "), ("sim-7 # ", ["=> ", "sim-* # "]), ("=> ", "")],
)
def test_the_prompt_is_one_of_those_configured(prompt: str, given: str | list[str]) -> None:
    settings = ConsoleSettings(uboot=UbootSettings(prompt=given))

    entered(VirtualBoard(Firmware(prompt=prompt), settings=settings))


def test_without_a_power_mark_the_times_count_from_the_call() -> None:
    at = VirtualBoard()
    at.board.switch(on=True, now=at.line.time)

    found = at.enter_uboot(at.context, within=WITHIN)

    assert found.boot.cause == ""
    assert found.boot.uboot is not None
    assert at.stages_reached() == []
