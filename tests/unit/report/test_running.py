from runner.report.running import Running, progress_text
from runner.result import Progress, StepStarted


def test_a_second_piece_of_work_in_a_step_has_a_speed_of_its_own() -> None:
    running = Running(lambda: 0.0)
    where = {"step": "1", "bench": "b", "case": "c@b"}
    running.hear(StepStarted(t=0, name="flash", verb="flash", phase="case", at="", depth=0, **where))  # type: ignore[arg-type]
    for t, done in ((0, 0), (10, 1000), (10, 0), (11, 500)):
        running.hear(Progress(t=t, done=done, total=1000, **where))
    ((_, step),) = running.innermost()

    assert step.first is not None
    assert step.last is not None
    assert progress_text(step.first, step.last) == "500 B of 1000 B, 500 B/s, 1s left"
