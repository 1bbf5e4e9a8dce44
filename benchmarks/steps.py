"""What a step costs: no-op steps beside Robot Framework, `command` steps beside Ansible, start-up beside Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

from measure import BIN, have, peak_kib, say, seconds, slope

RUNNER = str(BIN / "runner")
PYTHON = str(BIN / "python")
FEW, MANY = 500, 5000


def play(folder: Path, path: Path) -> list[str]:
    reports = ["--results", str(folder / "results"), "--junit", str(folder / "junit.xml")]
    return [RUNNER, "play", str(path), *reports]


def noop_recipe(folder: Path, steps: int) -> list[str]:
    path = folder / f"noop{steps}.yaml"
    lines = ["name: no-op steps", "tests:", "  - test: many steps", "    vars: {n: 1}", "    steps:"]
    for number in range(steps // 2):
        lines += [f'      - set: {{a{number}: "{{{{ n }}}}"}}', "      - assert: n == 1"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return play(folder, path)


def loop_recipe(folder: Path, steps: int) -> list[str]:
    path = folder / f"loop{steps}.yaml"
    path.write_text(
        "name: no-op loop\ntests:\n  - test: many steps\n    steps:\n"
        f'      - assert: item >= 0\n        loop: "{{{{ range({steps}) }}}}"\n',
        encoding="utf-8",
    )
    return play(folder, path)


def robot_suite(folder: Path, steps: int) -> list[str]:
    path = folder / f"noop{steps}.robot"
    path.write_text("*** Test Cases ***\nMany\n" + "    No Operation\n" * steps, encoding="utf-8")
    return [str(have("robot")), "--outputdir", str(folder / "robot"), "--xunit", "x.xml", str(path)]


def true_recipe(folder: Path, steps: int) -> list[str]:
    path = folder / f"true{steps}.yaml"
    path.write_text(
        "name: commands\ntests:\n  - test: many\n    steps:\n" + "      - command: [/bin/true]\n" * steps,
        encoding="utf-8",
    )
    return [RUNNER, "play", str(path), "--results", str(folder / "results")]


def ansible_book(folder: Path, steps: int) -> list[str]:
    path = folder / f"true{steps}.ansible.yaml"
    path.write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n" + "    - command: /bin/true\n" * steps,
        encoding="utf-8",
    )
    interpreter = f"ansible_python_interpreter={PYTHON}"
    return [str(have("ansible-playbook")), "-i", "localhost,", "-c", "local", "-e", interpreter, str(path)]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = seconds([PYTHON, "-c", "pass"], cwd=folder, times=11)
        version = seconds([RUNNER, "version"], cwd=folder, times=11)
        say("runner version / python -c pass", f"{version / bare:.2f}", "at most 5")
        one = seconds(noop_recipe(folder, 2), cwd=folder)
        say("one-step local play", f"{one:.3f} s", "at most 0.16 s")
        ours = slope(lambda steps: noop_recipe(folder, steps), FEW, MANY, cwd=folder)
        say("no-op step, 500 to 5,000 in one case", f"{ours * 1e3:.4f} ms")
        looped = slope(lambda steps: loop_recipe(folder, steps), FEW, MANY, cwd=folder)
        say("no-op step in a loop", f"{looped * 1e3:.4f} ms")
        if have("robot"):
            robot = slope(lambda steps: robot_suite(folder, steps), FEW, MANY, cwd=folder, times=3)
            say("Robot Framework's No Operation", f"{robot * 1e3:.4f} ms")
            say("no-op step / Robot's", f"{ours / robot:.3f}", "at most 0.25")
        few, many = (
            peak_kib(loop_recipe(folder, FEW), cwd=folder),
            peak_kib(loop_recipe(folder, MANY), cwd=folder),
        )
        say("peak memory, 500 and 5,000 looped steps", f"{few} / {many} KiB", "flat")
        few, many = (
            peak_kib(noop_recipe(folder, FEW), cwd=folder),
            peak_kib(noop_recipe(folder, MANY), cwd=folder),
        )
        say("peak memory, 500 and 5,000 written steps", f"{few} / {many} KiB")
        command = slope(lambda steps: true_recipe(folder, steps), 100, 1000, cwd=folder, times=3)
        say("command: /bin/true on the local agent, 100 to 1,000", f"{command * 1e3:.3f} ms")
        if have("ansible-playbook"):
            ansible = slope(lambda steps: ansible_book(folder, steps), 5, 15, cwd=folder, times=1)
            say("ansible-playbook's command: /bin/true", f"{ansible * 1e3:.1f} ms")
            say("Ansible's / ours", f"{ansible / command:.0f}", "at least 100")


if __name__ == "__main__":
    main()
