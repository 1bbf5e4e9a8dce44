"""Faults of watchers, ports, power, retries and reports: rows A11, A12, A16, A17, A23 and A25."""

from __future__ import annotations

from proof.fault import Fault

_BOARD = "tests/unit/console/test_watched_board.py::test_"
_LINES = "tests/unit/console/test_watch.py::test_"
_NASTY = "tests/unit/report/test_a25_nasty_console.py::test_"
_POWER = "tests/acceptance/test_a17_power_faults.py::test_"
_RETRY = "tests/acceptance/test_a23_retries.py::test_"
_SERIAL = "tests/integration/test_serial_driver.py::test_"
_SIM = "tests/acceptance/test_consoles_of_the_simulated_board.py::test_"
_SWITCH = "tests/unit/modules/power/test_power_verbs.py::test_"
_WATCHED = "tests/integration/test_watchers.py::test_"

FAULTS = (
    Fault(
        row="A11",
        rule="the same banner three times in ten seconds is a loop",
        path="runner/console/boots.py",
        old="LOOP_TIMES, LOOP_WITHIN = 3, 10.0",
        new="LOOP_TIMES, LOOP_WITHIN = 999, 10.0",
        red=(
            f"{_BOARD}a11_a_board_that_resets_again_and_again_is_named_while_nobody_looks_at_its_console",
            f"{_BOARD}a11_a_reset_loop_is_named_while_a_prompt_is_waited_for",
            f"{_LINES}a11_the_same_banner_three_times_in_ten_seconds_is_a_reset_loop",
            f"{_WATCHED}a11_a_reset_loop_is_named_while_a_prompt_is_waited_for",
        ),
    ),
    Fault(
        row="A12",
        rule="what is watched for is looked for in every step",
        path="runner/console/watch.py",
        old="        if watched is not None:\n            self._latest",
        new="        if watched is None:\n            return\n        if not watched:\n            self._latest",
        red=(
            f"{_BOARD}a12_a_panic_with_and_without_its_end_line_is_named_with_what_followed",
            f"{_BOARD}a12_an_oops_in_the_middle_of_a_step_is_named_though_the_board_goes_on",
            f"{_WATCHED}a12_a_panic_fails_the_step_that_only_waits_within_five_seconds",
            f"{_WATCHED}a12_an_oops_while_a_command_runs_fails_its_step",
        ),
    ),
    Fault(
        row="A12",
        rule="it is told with two seconds of what followed",
        path="runner/console/alarm.py",
        old="TAIL = 2.0",
        new="TAIL = 0.0",
        red=(f"{_BOARD}a12_a_panic_with_and_without_its_end_line_is_named_with_what_followed",),
    ),
    Fault(
        row="A12",
        rule="words count only where the kernel would say them",
        path="runner/console/watch.py",
        old="        if not (watched.message if said.stamped else watched.text).match(said.message):",
        new="        if not watched.message.search(said.message):",
        red=(f"{_BOARD}a12_an_audit_line_that_quotes_a_bug_report_does_nothing",),
    ),
    Fault(
        row="A16",
        rule="a port that is back is opened again",
        path="runner/console/source.py",
        old="                self._open_again(hear)\n                continue",
        new="                return",
        red=(f"{_SERIAL}a16_a_port_that_is_away_for_three_seconds_is_found_under_its_new_name",),
    ),
    Fault(
        row="A16",
        rule="the gap is an event",
        path="runner/console/source.py",
        old='            self._tell(hear, b"", f"open again after {time.monotonic() - started:.1f} s")',
        new="            _ = started",
        red=(
            f"{_SERIAL}a16_a_port_that_is_away_for_three_seconds_is_found_under_its_new_name",
            f"{_SIM}a16_a_port_that_goes_away_and_comes_back_is_read_on_and_the_gap_is_an_event",
        ),
    ),
    Fault(
        row="A17",
        rule="only what is said while the power is off counts against it",
        path="runner/console/power.py",
        old="        talked = sum(self.positions) - sum(before)",
        new="        talked = sum(self.positions)",
        red=(f"{_POWER}a17_a_healthy_outlet_passes",),
    ),
    Fault(
        row="A17",
        rule="the switch is read back",
        path="modules/power/power_cycle.py",
        old='        if readable:\n            outlet.confirm("off")',
        new='        if not readable:\n            outlet.confirm("off")',
        red=(
            f"{_POWER}a17_a_stuck_relay_is_an_error_of_the_lab_that_names_the_outlet",
            f"{_POWER}a17_a_switch_that_takes_longer_than_its_limit_is_an_error_of_the_lab",
        ),
    ),
    Fault(
        row="A17",
        rule="again and again, until its limit",
        path="runner/api/switching.py",
        old="            if clock.elapsed + pause > self._within:",
        new="            if clock.elapsed >= 0:",
        red=(
            f"{_POWER}a17_a_switch_that_takes_long_passes_after_polling",
            f"{_SWITCH}a17_an_outlet_that_takes_12_s_passes_when_the_limit_allows_it",
        ),
    ),
    Fault(
        row="A17",
        rule="a board that talks while it is off has power",
        path="runner/console/power.py",
        old="        if silent and talked:",
        new="        if silent and talked < 0:",
        red=(f"{_POWER}a17_a_wrong_outlet_is_found_by_the_console_of_a_board_that_talks",),
    ),
    Fault(
        row="A17",
        rule="a board that was switched on says something",
        path="modules/power/power_cycle.py",
        old="        if awaited:\n",
        new="        if awaited is None:\n",
        red=(
            f"{_POWER}a17_a_wrong_outlet_is_found_by_the_first_byte_of_a_board_that_is_quiet",
            f"{_POWER}a17_a_board_that_says_nothing_after_the_cycle_is_found_by_its_first_byte",
        ),
    ),
    Fault(
        row="A17",
        rule="whatever the switch answers, the outlet is named",
        path="runner/api/switching.py",
        old="        except (LabError, Failed) as error:\n            raise _same_kind(error)(",
        new="        except (LabError, Failed) as error:\n            raise\n            raise _same_kind(error)(",
        red=(f"{_POWER}a17_a_switch_that_answers_500_is_an_error_of_the_lab",),
    ),
    Fault(
        row="A17",
        rule="a switch that does not answer is not the board's fault",
        path="runner/api/switching.py",
        old="            raise self._no_answer(doing) from None",
        new='            raise Failed("the board does not start") from None',
        red=(f"{_POWER}a17_a_switch_that_answers_nothing_is_an_error_of_the_lab",),
    ),
    Fault(
        row="A23",
        rule="a pass after a retry is flaky",
        path="runner/engine/case.py",
        old="    if number > 1 and end.outcome is Outcome.PASSED:",
        new="    if number < 1 and end.outcome is Outcome.PASSED:",
        red=(
            f"{_RETRY}a23_a_pass_on_the_second_attempt_is_flaky_and_both_attempts_are_in_every_report",
            f"{_RETRY}a23_strict_flaky_makes_a_flaky_case_fail_the_run",
            f"{_RETRY}a23_retries_can_be_asked_for_on_the_command_line",
        ),
    ),
    Fault(
        row="A23",
        rule="JUnit has an element for each bad attempt",
        path="runner/report/testcase.py",
        old="    element.extend(_attempts(case, folder))\n",
        new="",
        red=(f"{_RETRY}a23_junit_has_an_element_for_each_bad_attempt_that_jenkins_and_surefire_take",),
    ),
    Fault(
        row="A25",
        rule="what XML cannot hold is spelt out",
        path="runner/report/characters.py",
        old="    return _ILLEGAL.sub(_spelt, text)",
        new="    return text",
        red=(
            f"{_NASTY}a25_bytes_that_xml_cannot_hold_are_spelt_out_and_stamped",
            f"{_NASTY}a25_every_byte_value_survives_both_parsers",
        ),
    ),
    Fault(
        row="A25",
        rule="a large console is capped, and says so",
        path="runner/report/slices.py",
        old="    if len(pieces) == 1 and len(whole) <= cap:",
        new="    if len(pieces) >= 1:",
        red=(f"{_NASTY}a25_a_large_console_is_capped_with_a_note_and_stamped",),
    ),
    Fault(
        row="A25",
        rule="each line has its time",
        path="runner/report/slices.py",
        old="    lines = stamped(data, start, stamps(path, start, end))",
        new="    lines = stamped(data, start, ())",
        red=(
            f"{_NASTY}a25_bytes_that_xml_cannot_hold_are_spelt_out_and_stamped",
            f"{_NASTY}a25_a_large_console_is_capped_with_a_note_and_stamped",
        ),
    ),
)
