"""Faults in how commands are typed and read: rows A01 to A08, A10, A14 and A15."""

from __future__ import annotations

from proof.fault import Fault

_COMMAND = "tests/unit/console/test_command.py::test_"
_CONSOLE = "tests/unit/console/test_console.py::test_"
_EXPECT = "tests/unit/console/test_expectation.py::test_"
_LOGIN = "tests/unit/console/test_login.py::test_"
_PTY = "tests/integration/test_console_pty.py::test_"
_SIM = "tests/acceptance/test_consoles_of_the_simulated_board.py::test_"
_UBOOT = "tests/unit/console/test_uboot.py::test_"
_WATCH = "tests/unit/console/test_watch.py::test_"

FAULTS = (
    Fault(
        row="A01",
        rule="kernel messages are cut out of the text",
        path="runner/console/kmsg.py",
        old="    stamp = _STAMP.search(data, position)\n    while",
        new="    stamp = None\n    while",
        red=(
            f"{_COMMAND}a01_a_kernel_message_at_every_byte_changes_neither_output_nor_status",
            f"{_COMMAND}a01_a_kernel_message_at_every_byte_cut_at_every_byte_changes_nothing",
            f"{_UBOOT}a01_a_kernel_message_at_every_byte_of_a_uboot_command_changes_nothing",
            f"{_LOGIN}a01_a_kernel_message_at_every_byte_of_the_login_changes_nothing",
            f"{_SIM}a01_kernel_messages_at_any_place_are_cut_out_and_kept",
            f"{_SIM}a01_a_steady_stream_of_kernel_messages_changes_no_answer",
        ),
    ),
    Fault(
        row="A01",
        rule="and in the middle of a line, too",
        path="runner/console/kmsg.py",
        old=r'rb"\[( {0,10}\d{1,10})\.',
        new=r'rb"(?m:^)\[( {0,10}\d{1,10})\.',
        red=(
            f"{_COMMAND}a01_a_kernel_message_at_every_byte_changes_neither_output_nor_status",
            f"{_COMMAND}a01_a_kernel_message_at_every_byte_cut_at_every_byte_changes_nothing",
            f"{_UBOOT}a01_a_kernel_message_at_every_byte_of_a_uboot_command_changes_nothing",
            f"{_LOGIN}a01_a_kernel_message_at_every_byte_of_the_login_changes_nothing",
        ),
    ),
    Fault(
        row="A01",
        rule="what may be the beginning of one is held back until the rest has come",
        path="runner/console/view.py",
        old="self._hold(data, done, kmsg.undecided(data, search), base, pieces)",
        new="self._hold(data, done, len(data), base, pieces)",
        red=(f"{_COMMAND}a01_a_kernel_message_at_every_byte_cut_at_every_byte_changes_nothing",),
    ),
    Fault(
        row="A02",
        rule="an idle login prompt that was overwritten is asked for with Enter",
        path="runner/console/login.py",
        old="elif heard is not None and self._may_ask(now - heard, now - visit.touched):",
        new="elif False:",
        red=(f"{_LOGIN}a02_a_login_prompt_that_init_messages_overwrite_is_asked_for_again",),
    ),
    Fault(
        row="A03",
        rule="what a terminal takes as orders is not in the text",
        path="runner/console/view.py",
        old="        for order in escapes.ORDERS.finditer(data):",
        new='        for order in escapes.re.finditer(rb"\\r+\\n?", data):',
        red=(
            f"{_LOGIN}a03_a_coloured_prompt_with_a_title_and_bracketed_paste_is_a_prompt",
            f"{_SIM}a03_a_coloured_prompt_with_a_title_and_bracketed_paste",
        ),
    ),
    Fault(
        row="A04",
        rule="the shell compares a check sum of the command before it runs it",
        path="runner/console/frame.py",
        old="            value = value * 3 % _MODULUS + place\n    return value",
        new="            value = value * 3 % _MODULUS + place\n    return 0",
        red=(f"{_COMMAND}a04_two_swapped_characters_anywhere_never_run_something_else",),
    ),
    Fault(
        row="A04",
        rule="a damaged command is typed again once",
        path="runner/console/shell.py",
        old="    for attempt in range(2):",
        new="    for attempt in range(1):",
        red=(f"{_COMMAND}a04_swallowed_first_characters_are_noticed_and_typed_again",),
    ),
    Fault(
        row="A04",
        rule="where nothing computes a check sum, the echo is compared before Enter is pressed",
        path="runner/console/keyboard.py",
        old="        if comes_back(live, line.encode(), deadline, context):\n            return attempt",
        new="        comes_back(live, line.encode(), deadline, context)\n        return attempt",
        red=(
            f"{_COMMAND}a04_swallowed_first_characters_are_noticed_and_typed_again",
            f"{_UBOOT}a04_swallowed_characters_are_noticed_before_enter",
        ),
    ),
    Fault(
        row="A05",
        rule="after damage, characters are typed more slowly",
        path="runner/console/keyboard.py",
        old="    pace = live.slow_down()\n",
        new="    pace = live.pace\n",
        red=(f"{_COMMAND}a05_an_overrun_of_sixteen_bytes_is_noticed_and_typing_slows_down",),
    ),
    Fault(
        row="A06",
        rule="a wait begins behind the power-on mark after a power cycle",
        path="runner/console/live.py",
        old='self.transcript.last = self.transcript.mark("power_on", self.clock())',
        new='self.transcript.mark("power_on", self.clock())',
        red=(
            f"{_CONSOLE}a06_after_a_power_cycle_an_old_prompt_is_not_even_the_last_one",
            f"{_SIM}a06_a_prompt_from_before_the_power_cycle_is_not_the_new_one",
        ),
    ),
    Fault(
        row="A06",
        rule="a mark is where the console is, and not where it began",
        path="runner/console/transcript.py",
        old="self._marks[name] = (self._position, now)",
        new="self._marks[name] = (0, now)",
        red=(f"{_UBOOT}a06_an_old_prompt_says_nothing_after_a_power_cycle",),
    ),
    Fault(
        row="A07",
        rule="a match may lie across two pieces",
        path="runner/console/search.py",
        old="self._position = max(self._position, end - pattern.width + 1)",
        new="self._position = max(self._position, end)",
        red=(f"{_EXPECT}a07_what_is_found_does_not_depend_on_how_the_bytes_were_cut",),
    ),
    Fault(
        row="A07",
        rule="a line is judged when it is whole",
        path="runner/console/scan.py",
        old="start, stop = self._judged, track.end if quiet else complete",
        new="start, stop = self._judged, track.end",
        red=(f"{_WATCH}a07_the_same_bytes_in_other_pieces_are_the_same_alarms",),
    ),
    Fault(
        row="A08",
        rule="every byte is recorded, whatever it means",
        path="runner/console/live.py",
        old="        if chunk.data or chunk.gap:\n            self._record(chunk)",
        new="        if chunk.data.isascii() or chunk.gap:\n            self._record(chunk)",
        red=(
            f"{_CONSOLE}a08_any_byte_is_recorded_as_it_came",
            f"{_CONSOLE}a08_a_megabyte_without_a_line_end_is_searched_and_recorded",
        ),
    ),
    Fault(
        row="A08",
        rule="the text in memory is bounded",
        path="runner/console/track.py",
        old="        if len(self._data) > self._keep + self._keep // 4:",
        new="        if not self._keep:",
        red=(f"{_EXPECT}a08_the_text_that_is_kept_is_bounded",),
    ),
    Fault(
        row="A08",
        rule="and so are the places of its pieces",
        path="runner/console/track.py",
        old="        if len(self._segments) > _MOST_SEGMENTS:",
        new="        if not _MOST_SEGMENTS:",
        red=(f"{_EXPECT}a08_the_places_of_little_pieces_are_bounded_too",),
    ),
    Fault(
        row="A10",
        rule="a frame is found on a console that stamps its lines as the kernel does",
        path="runner/console/exchange.py",
        old="        at = kernel.rfind(self._key, self._kernel_at)",
        new="        at = -1",
        red=(f"{_UBOOT}a10_status_and_output_come_back_also_from_a_stamped_console",),
    ),
    Fault(
        row="A10",
        rule="a status that the parser does not know is not guessed",
        path="runner/console/frame.py",
        old="    return int(told) if told and told.isdigit() else None",
        new="    return int(told) if told and told.isdigit() else 0",
        red=(
            f"{_UBOOT}a10_without_hush_the_status_is_unknown_and_the_output_complete",
            f"{_SIM}a10_an_output_like_a_prompt_and_a_parser_that_cannot_tell_the_status",
        ),
    ),
    Fault(
        row="A14",
        rule="a prompt that answers to us need not be the last thing said",
        path="runner/console/login.py",
        old="        return (asked is not None and sighting.start >= asked) or (",
        new="        return (asked is not None and sighting.start < 0) or (",
        red=(
            f"{_LOGIN}a14_a_prompt_that_is_never_last_behind_an_autologin_is_a_prompt",
            f"{_SIM}a14_a_prompt_that_is_never_last_behind_an_autologin",
        ),
    ),
    Fault(
        row="A15",
        rule="the output of a command is kept up to 8 MiB",
        path="runner/console/transcript.py",
        old="KEEP = 8 * 1024 * 1024",
        new="KEEP = 32 * 1024",
        red=(
            f"{_COMMAND}a15_a_flood_of_output_and_kernel_messages_loses_nothing",
            f"{_COMMAND}a15_two_thousand_kernel_messages_a_second_lose_nothing",
        ),
    ),
    Fault(
        row="A15",
        rule="what is not kept of it is counted",
        path="runner/console/exchange.py",
        old="            dropped=max(text.start - begun, 0),",
        new="            dropped=0,",
        red=(
            f"{_COMMAND}a15_what_is_more_than_is_kept_is_counted_and_in_the_raw_log",
            f"{_PTY}a15_a_hundred_megabytes_lose_nothing_in_linear_time_and_bounded_memory",
        ),
    ),
    Fault(
        row="A15",
        rule="memory is bounded, however long the output is",
        path="runner/console/track.py",
        old="            self._forget(len(self._data) - self._keep)",
        new="            pass",
        red=(f"{_PTY}a15_a_hundred_megabytes_lose_nothing_in_linear_time_and_bounded_memory",),
    ),
)
