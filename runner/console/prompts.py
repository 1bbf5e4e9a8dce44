"""What a boot loader's prompt looks like, and what differs between U-Boot, barebox and GRUB.

U-Boot: common/cli_readline.c and cli_hush.c. barebox: common/hush.c, lib/readline.c. GRUB:
grub-core/normal/cmdline.c, and the lexer grub-core/script/yylex.l, in which a bare ``}`` is a
word of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from runner.console.pattern import Pattern, regex
from runner.console.settings import UbootSettings

_PROMPTS: Mapping[str, str] = MappingProxyType({"u-boot": "=> ", "barebox": "barebox@*:* ", "grub": "grub> "})
_CONTINUES = rb"> "
"""What hush and GRUB say while a quotation or a loop is open (``CONFIG_SYS_PROMPT_HUSH_PS2``)."""


def prompts(settings: UbootSettings) -> tuple[str, ...]:
    """Return the prompts as they are configured; those of the loader when none is.

    >>> prompts(UbootSettings(loader="grub"))
    ('grub> ',)
    """
    given = (settings.prompt,) if isinstance(settings.prompt, str) else tuple(settings.prompt)
    return tuple(each for each in given if each) or (_PROMPTS[settings.loader],)


def shown_prompts(settings: UbootSettings) -> str:
    """Return the prompts for a message."""
    return " or ".join(repr(each) for each in prompts(settings))


def prompt_text(settings: UbootSettings, *, bare: bool = False) -> str:
    r"""Return a regular expression of the prompt, without anchors; ``*`` is anything on the line.

    `bare`: without the spaces at its end.

    >>> prompt_text(UbootSettings(prompt=["=> ", "board*# "]))
    '(?:=>\\ |board[^\\n]*?\\#\\ )'
    """
    return _any_of([each.rstrip(" ") if bare else each for each in prompts(settings)])


def prompt_pattern(settings: UbootSettings) -> Pattern:
    """Return what looks for the prompt at the start of a line, whatever follows."""
    return regex("^" + prompt_text(settings), "prompt")


def waiting_prompt(settings: UbootSettings) -> re.Pattern[bytes]:
    """Return what a last line ends with that is a prompt; spaces behind it may be missing."""
    return re.compile(rf"{prompt_text(settings, bare=True)} *\Z".encode())


def is_prompt(settings: UbootSettings, last: bytes) -> bool:
    """Tell whether a last line is nothing but a prompt."""
    return re.fullmatch(prompt_text(settings).encode(), last) is not None


def waits_for_a_line(settings: UbootSettings, last: bytes) -> bool:
    """Tell whether a last line is a prompt, or the one inside an open quotation."""
    return last == _CONTINUES or is_prompt(settings, last)


def _any_of(texts: Sequence[str]) -> str:
    found = ("[^\\n]*?".join(map(re.escape, each.split("*"))) for each in texts)
    return f"(?:{'|'.join(found)})"


def closing(settings: UbootSettings, nonce: str) -> str:
    """Return what prints the frame behind a command, as it is typed.

    >>> closing(UbootSettings(), "abc"), closing(UbootSettings(loader="grub"), "abc")
    ('echo }abc$?', 'echo "}abc$?"')
    """
    return f'echo "}}{nonce}$?"' if settings.loader == "grub" else f"echo }}{nonce}$?"
