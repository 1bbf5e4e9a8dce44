"""Faults on the way to a prompt: rows A09 and A13."""

from __future__ import annotations

from proof.fault import Fault

_ENTRY = "tests/unit/console/test_uboot_entry.py::test_"
_LOGIN = "tests/unit/console/test_login.py::test_"
_UBOOT = "tests/unit/console/test_uboot.py::test_"

FAULTS = (
    Fault(
        row="A09",
        rule="a key is sent at once on the autoboot text",
        path="runner/console/interrupt.py",
        old="_AUTOBOOT = (_WANTS_KEY, *_COUNTS_DOWN, _ASKS_PASSWORD, *_MENU)",
        new="_AUTOBOOT = ()",
        red=(
            f"{_ENTRY}a09_every_mode_and_key_stops_autoboot",
            f"{_ENTRY}a09_a_password_prompt_after_a_key",
            f"{_ENTRY}a09_an_encrypted_password_is_typed_before_any_key",
            f"{_ENTRY}a09_a_wrong_or_missing_password_is_named",
            f"{_UBOOT}a09_autoboot_is_interrupted_and_the_times_are_told",
        ),
    ),
    Fault(
        row="A09",
        rule="keys are sent from power-on on",
        path="runner/console/interrupt.py",
        old='    early = interrupt.mode == "flood" or (',
        new='    early = interrupt.mode == "never" and (',
        red=(
            f"{_ENTRY}a09_a_short_boot_delay_or_none_is_stopped",
            f"{_ENTRY}a09_no_autoboot_text_is_needed",
            f"{_UBOOT}a09_autoboot_is_interrupted_and_the_times_are_told",
        ),
    ),
    Fault(
        row="A09",
        rule="a prompt that comes by itself is one",
        path="runner/console/interrupt.py",
        old="        if seen.pattern is prompt:\n            return True",
        new="        if seen.pattern is prompt:\n            return entry.answered >= 0",
        red=(f"{_ENTRY}a09_no_autoboot_at_all_is_a_prompt_too",),
    ),
    Fault(
        row="A09",
        rule="a kernel that starts is the end of waiting for the prompt",
        path="runner/console/interrupt.py",
        old="(prompt, *_AUTOBOOT), entry.seen, forbid=_KERNEL)",
        new="(prompt, *_AUTOBOOT), entry.seen)",
        red=(
            f"{_ENTRY}a09_a_board_that_does_not_look_at_keys_is_named",
            f"{_ENTRY}a09_a_boot_delay_of_0_is_lost_when_keys_wait_for_a_text",
            f"{_ENTRY}a09_keys_are_sent_in_the_window_only",
        ),
    ),
    Fault(
        row="A09",
        rule="keys are sent in the window only",
        path="runner/console/interrupt.py",
        old="    return entry.flooding and live.clock() < entry.flood_until",
        new="    return entry.flooding",
        red=(f"{_ENTRY}a09_keys_are_sent_in_the_window_only",),
    ),
    Fault(
        row="A09",
        rule="keys are sent again until the prompt is there",
        path="runner/console/interrupt.py",
        old="    keys = (interrupt.keys,) if isinstance",
        new="    if entry.sent:\n        return\n    keys = (interrupt.keys,) if isinstance",
        red=(f"{_ENTRY}a09_a_key_that_must_come_twice", f"{_ENTRY}a09_one_of_several_keys"),
    ),
    Fault(
        row="A09",
        rule="a word is sent whole",
        path="runner/console/interrupt.py",
        old="    live.send(keys[entry.sent % len(keys)].encode(), context)",
        new="    live.send(keys[entry.sent % len(keys)].encode()[:1], context)",
        red=(f"{_ENTRY}a09_a_word_that_stops_autoboot",),
    ),
    Fault(
        row="A09",
        rule="no key comes before a password that must be first",
        path="runner/console/interrupt.py",
        old='(interrupt.mode == "both" and interrupt.password is None)',
        new='(interrupt.mode == "both")',
        red=(f"{_ENTRY}a09_an_encrypted_password_is_typed_before_any_key",),
    ),
    Fault(
        row="A09",
        rule="with no keys, the usual text is answered with the password",
        path="runner/console/interrupt.py",
        old="    by_key = seen is _WANTS_KEY and bool(interrupt.keys)",
        new="    by_key = seen is _WANTS_KEY",
        red=(f"{_ENTRY}a09_an_encrypted_password_behind_the_usual_text_needs_keys_to_be_empty",),
    ),
    Fault(
        row="A09",
        rule="a password that is refused or missing is named",
        path="runner/console/interrupt.py",
        old="        raise _no_password(live, entry, interrupt, deadline)",
        new="        raise _timed_out(live, entry, deadline)",
        red=(f"{_ENTRY}a09_a_wrong_or_missing_password_is_named",),
    ),
    Fault(
        row="A09",
        rule="a boot menu is left with the key that leaves it",
        path="runner/console/interrupt.py",
        old='    usual = "c" if live.settings.uboot.loader == "grub" else "\\x03"',
        new='    usual = "\\r"',
        red=(f"{_ENTRY}a09_a_boot_menu_is_left_for_the_prompt",),
    ),
    Fault(
        row="A09",
        rule="superfluous keys are cleared from the line before the prompt is asked",
        path="runner/console/interrupt.py",
        old='    if interrupt.keys != "\\x03":',
        new='    if interrupt.keys == "\\x03":',
        red=(f"{_ENTRY}a09_echoes_of_superfluous_keys_are_drained",),
    ),
    Fault(
        row="A09",
        rule="whether the parser knows a status is found out",
        path="runner/console/uboot.py",
        old='hush=exchange.answer.status is not None if hush == "auto" else hush',
        new='hush=True if hush == "auto" else hush',
        red=(f"{_ENTRY}a09_a_board_without_hush_is_entered",),
    ),
    Fault(
        row="A13",
        rule="what comes instead of a login is named at once",
        path="runner/console/login.py",
        old="visit.seen, forbid=_FAILURES)",
        new="visit.seen)",
        red=(f"{_LOGIN}a13_what_comes_instead_is_named_at_once",),
    ),
)
