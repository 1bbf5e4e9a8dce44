"""What a bench says about its console: how it is typed on and what it answers with."""

from __future__ import annotations

from typing import Literal, Union

from runner.api import Duration, Options, Secret, arg


class Interrupt(Options):
    """How autoboot is interrupted."""

    mode: Literal["prompt", "flood", "both"] = arg(
        default="both",
        help="when keys are sent: at the autoboot text, from the power-on mark on, or both",
    )
    keys: Union[str, list[str]] = arg(
        default="\x03",
        help='what is sent each time, of several one after the other: "\\x03" (Ctrl-C, which leaves '
        'nothing on the line), "\\e", " ", "\\r" or a word; empty: no key, only the password',
    )
    interval: Duration = arg(default=Duration("50ms"), help="time between two sendings")
    window: Duration | None = arg(
        default=None, help="how long after power-on keys are sent; to the end when left out"
    )
    settle: Duration = arg(
        default=Duration("100ms"), help="silence after the prompt before it is put to the test"
    )
    password: Secret | None = arg(
        default=None,
        help="what stops autoboot when it asks for a word instead of a key; nothing else is typed before "
        "it, because an encrypted one counts from the first key. With mode: flood it is sent instead of "
        "the keys",
        secret=True,
    )
    menu: str = arg(
        default="", help="what leaves a boot menu for the prompt; empty: Ctrl-C, in GRUB the letter c"
    )


class UbootSettings(Options):
    """What this board's boot loader looks like."""

    loader: Literal["u-boot", "barebox", "grub"] = arg(
        default="u-boot", help="which one it is: it decides about the prompt and a few details of typing"
    )
    prompt: Union[str, list[str]] = arg(
        default="",
        help="the prompt or prompts, exactly, with * for what varies; empty: the loader's usual one "
        "(`=> `, `barebox@*:* `, `grub> `)",
    )
    hush: Union[bool, Literal["auto"]] = arg(
        default="auto", help="whether its parser knows `;` and `$?`; auto: asked at the first prompt"
    )
    interrupt: Interrupt = arg(default=Interrupt(), help="how autoboot is interrupted")


class LoginSettings(Options):
    """What this board's login looks like; patterns are regular expressions."""

    login_prompt: str = arg(default=r"(?<!Last )login: ?", help="asks for the user's name")
    password_prompt: str = arg(default=r"[Pp]assword: ?", help="asks for the password")
    idle: Duration = arg(
        default=Duration("2s"), help="silence after which Enter is sent, to have the prompt again"
    )


class ConsoleSettings(Options):
    """How a console is typed on, and what is at its other end."""

    prompt: str = arg(default=r"[#$] ", help="the shell's prompt, a regular expression")
    newline: str = arg(default="\n", help="what the Enter key sends")
    char_delay: Duration = arg(default=Duration(0), help="pause after each chunk that is typed")
    chunk: int = arg(default=1, help="characters typed at once when there is a pause", minimum=1)
    quiet: Duration = arg(
        default=Duration("100ms"), help="silence after which an unfinished line is taken as it stands"
    )
    answer: Duration = arg(
        default=Duration("2s"),
        help="how long a shell may take to begin with a command before it is typed again",
    )
    kernel_level: int | None = arg(
        default=4,
        help="console log level while a shell is used (restored at the end); null leaves it alone",
        minimum=1,
        maximum=8,
    )
    uboot: UbootSettings = arg(default=UbootSettings(), help="the boot loader")
    login: LoginSettings = arg(default=LoginSettings(), help="the login")
