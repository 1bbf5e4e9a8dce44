"""Faults of record and replay: row A31."""

from __future__ import annotations

from proof.fault import Fault

_REPLAY = "tests/acceptance/test_a31_replay.py::test_a31_"
_RECORDED = "tests/acceptance/test_a31_recordings.py::test_a31_"
_SSH = "tests/integration/test_replay_ssh.py::test_a31_"
_UBOOT = "tests/integration/test_replay_uboot.py::test_a31_"

FAULTS = (
    Fault(
        row="A31",
        rule="a replay has the recording's time",
        path="runner/cli/replay.py",
        old="            clock=ReplayClock(timeline),\n",
        new="",
        red=(
            f"{_REPLAY}a_recorded_run_replayed_a_hundred_times_gives_the_same_bytes_each_time",
            f"{_REPLAY}a_failed_run_fails_again_twice_bit_by_bit_and_passes_once_its_pattern_is_corrected",
            f"{_REPLAY}a_panic_of_that_day_fails_the_same_step_again",
            f"{_SSH}a_run_over_ssh_fails_again_twice_bit_by_bit_without_the_host_and_passes_corrected",
            f"{_UBOOT}a_failed_run_fails_again_bit_by_bit_and_passes_with_a_corrected_pattern",
        ),
    ),
    Fault(
        row="A31",
        rule="what uses the console is judged again",
        path="runner/connect/replay.py",
        old="        devices = self._stand_ins(request)\n",
        new="        devices = None\n",
        red=(
            f"{_REPLAY}a_problem_of_that_day_passes_once_its_pattern_is_corrected",
            f"{_REPLAY}a_failed_run_fails_again_twice_bit_by_bit_and_passes_once_its_pattern_is_corrected",
            f"{_REPLAY}what_was_not_typed_that_day_is_told_at_its_step",
            f"{_SSH}a_run_over_ssh_fails_again_twice_bit_by_bit_without_the_host_and_passes_corrected",
            f"{_UBOOT}a_failed_run_fails_again_bit_by_bit_and_passes_with_a_corrected_pattern",
        ),
    ),
    Fault(
        row="A31",
        rule="what is typed is compared with what was typed",
        path="runner/connect/timeline.py",
        old="            elif not (len(data) <= _KEY and self._last.get(device) == data):",
        new="            elif len(data) < 0:",
        red=(
            f"{_REPLAY}what_was_not_typed_that_day_is_told_at_its_step",
            f"{_RECORDED}a_replay_that_leaves_the_recording_of_another_runner_says_whose_it_is",
        ),
    ),
    Fault(
        row="A31",
        rule="what is answered from the recording is asked in the same words",
        path="runner/connect/replay.py",
        old="        if others:\n",
        new="        if others is None:\n",
        red=(f"{_REPLAY}a_command_of_the_host_is_answered_as_it_was_and_another_one_is_told",),
    ),
    Fault(
        row="A31",
        rule="no secret is in a recording",
        path="runner/connect/recording.py",
        old='    text = masker.mask(to_json(record).decode("ascii")).encode("ascii", "backslashreplace")\n',
        new="    text = to_json(record)\n",
        red=(f"{_REPLAY}a_password_is_in_no_recording_and_the_replay_types_it_all_the_same",),
    ),
    Fault(
        row="A31",
        rule="what is typed is masked before it is compared",
        path="runner/connect/replay.py",
        old="self._timeline.typed(device, self._hide(data))",
        new="self._timeline.typed(device, data)",
        red=(f"{_REPLAY}a_password_is_in_no_recording_and_the_replay_types_it_all_the_same",),
    ),
    Fault(
        row="A31",
        rule="the recording of a killed run is not damaged",
        path="runner/connect/recorded.py",
        old="    if logs is None and _has_ended(folder):",
        new="    if logs is None:",
        red=(f"{_REPLAY}a_killed_run_can_be_replayed_up_to_its_end",),
    ),
    Fault(
        row="A31",
        rule="and that of a run that ended has its end",
        path="runner/connect/recorded.py",
        old="    if logs is None and _has_ended(folder):",
        new="    if logs is None and not folder:",
        red=(f"{_RECORDED}a_recording_that_is_not_what_was_recorded_is_refused_with_one_error",),
    ),
    Fault(
        row="A31",
        rule="steps that run side by side are refused",
        path="runner/cli/replay.py",
        old="        _refuse_concurrent(plan)\n",
        new="",
        red=(f"{_REPLAY}a_run_without_a_recording_and_steps_side_by_side_are_refused",),
    ),
    Fault(
        row="A31",
        rule="the console is watched in a replay, too",
        path="runner/connect/replay.py",
        old="            watching=watching_for(watch, alarmed),",
        new="            watching=None,",
        red=(f"{_REPLAY}a_panic_of_that_day_fails_the_same_step_again",),
    ),
    Fault(
        row="A31",
        rule="every line has a check sum",
        path="runner/connect/recorded.py",
        old='        if check != b"%08x" % zlib.crc32(text):',
        new="        if check is None:",
        red=(f"{_RECORDED}a_recording_that_is_not_what_was_recorded_is_refused_with_one_error",),
    ),
    Fault(
        row="A31",
        rule="and all of them together",
        path="runner/connect/recorded.py",
        old='        if record.get("before", f"{before:08x}") != f"{before:08x}":',
        new='        if record.get("before") == 0:',
        red=(f"{_RECORDED}a_recording_that_is_not_what_was_recorded_is_refused_with_one_error",),
    ),
    Fault(
        row="A31",
        rule="the logs of the consoles have check sums",
        path="runner/connect/recorded.py",
        old="        if found != wanted.get(name, found):",
        new="        if found == wanted:",
        red=(f"{_RECORDED}a_recording_that_is_not_what_was_recorded_is_refused_with_one_error",),
    ),
    Fault(
        row="A31",
        rule="and the length that was recorded",
        path="runner/connect/recorded.py",
        old='    if size != wanted["bytes"]:',
        new="    if size < 0:",
        red=(f"{_RECORDED}a_damaged_recording_of_the_first_version_is_refused",),
    ),
    Fault(
        row="A31",
        rule="a recording of another dialect is told apart",
        path="runner/cli/recorded_options.py",
        old="    if dialect != frame.dialect():",
        new="    if not dialect:",
        red=(f"{_RECORDED}a_replay_that_leaves_the_recording_of_another_runner_says_whose_it_is",),
    ),
    Fault(
        row="A31",
        rule="but only when something else is typed",
        path="runner/connect/timeline.py",
        old='        self.diverged = ""\n        """How',
        new='        self.diverged = origin\n        """How',
        red=(f"{_RECORDED}the_recording_of_another_runner_replays_as_long_as_the_same_is_typed",),
    ),
)
