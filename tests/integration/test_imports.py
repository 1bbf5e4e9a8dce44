"""What is imported, and when: a process of its own for each question."""

import subprocess
import sys


def test_built_in_names_are_known_without_importing_their_modules() -> None:
    code = (
        "import sys; from runner.registry import Registry; r = Registry.built_in();"
        "assert 'power_cycle' in r.verb_names() and 'sim' in r.driver_names();"
        "print(*[n for n in sys.modules if n.startswith('runner.modules.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
