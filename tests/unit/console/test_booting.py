"""Handing over to a kernel on the simulated board, and what comes instead of one."""

from __future__ import annotations

import pytest
from support.boards import BoardConsole, UbootBoard
from support.simulated import VirtualBoard

from runner.api import Duration, Failed, RecipeFault, TimedOut
from runner.console import ConsoleSettings, UbootSettings
from runner.console.complaints import explained

WITHIN = Duration("20s")


def at_prompt() -> VirtualBoard:
    at = VirtualBoard()
    at.power_cycle()
    at.enter_uboot(at.context, within=WITHIN)
    return at


def test_the_first_line_of_the_kernel_proves_it() -> None:
    at = at_prompt()
    at.hear(30)

    booted = at.boot_kernel("boot", at.context, within=WITHIN)

    assert "Linux version 6.1.38-sim" in booted.first_line
    assert booted.elapsed < 1
    assert booted.boot.kernel is not None
    assert booted.boot.kernel > 30
    assert at.login(at.context, user="root", within=WITHIN).boot.login is not None


def test_a_kernel_that_was_there_before_proves_nothing() -> None:
    at = VirtualBoard()
    at.power_cycle()
    at.login(at.context, user="root", within=WITHIN)
    at.board.switch(on=False, now=at.line.time)
    at.board.switch(on=True, now=at.line.time)
    at.enter_uboot(at.context, within=WITHIN)

    with pytest.raises(Failed, match="came back to the prompt"):
        at.boot_kernel("printenv bootcmd", at.context, within=WITHIN)


def test_a_bad_image_is_named_and_the_prompt_can_be_used() -> None:
    at = at_prompt()

    with pytest.raises(
        Failed, match=r"came back to the prompt .*no kernel image .*\(Bad Linux ARM64"
    ) as caught:
        at.boot_kernel("booti 40000000", at.context, within=WITHIN)
    assert not isinstance(caught.value, TimedOut)
    assert at.run_uboot("echo alive", at.context, timeout=WITHIN).output == "alive"


class Scripted(UbootBoard):
    """Says a few lines to any command, and then gives the prompt or not."""

    def __init__(self, text: str, *, prompt: bool) -> None:
        super().__init__({})
        self.text = text
        self.gives = prompt

    def _enter(self) -> None:
        if self.line.startswith(b"echo"):
            super()._enter()
            return
        self.line = b""
        self.print("\n" + self.text)
        if self.gives:
            self.say(self.prompt)


def scripted(text: str, *, prompt: bool = False) -> BoardConsole:
    return BoardConsole(Scripted(text, prompt=prompt), ConsoleSettings(uboot=UbootSettings()))


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Wrong Image Format for bootm command\nERROR: can't get kernel image!\n", "bad image"),
        ("   Unsupported Architecture 0x16\n", "wrong architecture"),
        ("zimage: Bad magic!\n", "there is no zImage"),
        ("** Unrecognized filesystem type **\n", "no filesystem"),
        ("** File not found /boot/Image **\n", "no such file"),
        ("No ethernet found.\n", "no network interface"),
        ("ERROR: Did not find a cmdline Flattened Device Tree\n", "no device tree"),
        ("Unknown command 'bootflow' - try 'help'\n", "no such command"),
    ],
)
def test_what_the_loader_complains_about_is_the_failure(said: str, meaning: str) -> None:
    at = scripted(said, prompt=True)

    with pytest.raises(Failed, match=f"came back to the prompt without a kernel: .*{meaning}"):
        at.boot_kernel("bootm 1000", at.context, within=WITHIN)
    assert at.board.now() < 5


def test_a_loader_that_gives_up_is_not_waited_for() -> None:
    at = scripted("Could not find a valid device tree\n### ERROR ### Please RESET the board ###\n")

    with pytest.raises(Failed, match="ended badly: the boot loader gives up"):
        at.boot_kernel("bootm 1000", at.context, within=Duration("10m"))
    assert at.board.now() < 30


def test_a_kernel_that_says_nothing_is_told_from_one_that_was_not_started() -> None:
    silent = scripted("\nStarting kernel ...\n\n")
    with pytest.raises(TimedOut, match="the kernel was started and says nothing within 20s"):
        silent.boot_kernel("booti 1000", silent.context, within=WITHIN)

    loading = scripted("Loading: *")
    with pytest.raises(TimedOut, match="no kernel speaks within 20s"):
        loading.boot_kernel("booti 1000", loading.context, within=WITHIN)


def test_a_quiet_kernel_is_proven_by_init_or_the_login() -> None:
    for words in ("INIT: version 3.06 booting\n", "\nboard login: "):
        at = scripted("Starting kernel ...\n\n" + words)

        assert at.boot_kernel("boot", at.context, within=WITHIN).first_line.startswith(words.strip()[:5])


def test_another_system_has_a_first_line_of_its_own() -> None:
    at = scripted("## Starting application at 0x40000000 ...\n*** Booting Zephyr OS build v3.5.0 ***\n")

    booted = at.boot_kernel("go 40000000", at.context, within=WITHIN, first_line="Booting Zephyr OS")

    assert "Zephyr" in booted.first_line


def test_a_first_line_that_is_no_pattern_is_the_recipe_s_fault() -> None:
    at = scripted("")

    with pytest.raises(RecipeFault, match="is not a regular expression"):
        at.boot_kernel("go 40000000", at.context, within=WITHIN, first_line="(")


def test_nothing_is_explained_that_is_not_known() -> None:
    assert explained("all is well\n") == ""
