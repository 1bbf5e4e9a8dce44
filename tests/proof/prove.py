"""Shows that the console's acceptance tests can fail: `make proof`.

Plants each fault of the table in a copy of the tree, one after the other, and runs the tests that
must notice it there. Before that they all pass in a copy without a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from proof.fault import ROWS, Fault
from proof.faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".cache", ".*_cache", "results", "build", "dist")
_LIMIT = 1800.0
"""Seconds that a run of tests may take; their own limits are far below. A fault must not make them hang."""


def main() -> int:
    """Prove the rows that were asked for, or all; return 1 when a test that must fail does not."""
    asked = _arguments()
    faults = [fault for fault in FAULTS if not asked.rows or fault.row in asked.rows]
    print(f"{len(faults)} faults of {len({fault.row for fault in faults})} rows", flush=True)
    if not asked.only_red and not _green(faults):
        return 1
    kept = [test for fault in faults for test in _prove(fault)]
    print(f"{len(kept)} tests stayed green" if kept else "every test turned red with its rule switched off")
    return int(bool(kept))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="such as A05 (default: all)")
    parser.add_argument("--only-red", action="store_true", help="do not run the tests without a fault first")
    asked = parser.parse_args()
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}")
    return asked


def _green(faults: Sequence[Fault]) -> bool:
    """Run all tests of the faults without any; say which of them fail."""
    tests = sorted({test for fault in faults for test in fault.red})
    began = time.monotonic()
    with _copy() as tree:
        passed, failed = _run(tree, tests)
    bad = [test for test in tests if test in failed or test not in passed]
    print(f"without a fault: {len(tests) - len(bad)} of {len(tests)} pass, {time.monotonic() - began:.0f} s")
    for test in bad:
        print(f"    not green  {test}")
    return not bad


def _prove(fault: Fault) -> list[str]:
    """Plant a fault and print what came of it; return the tests that did not fail."""
    began = time.monotonic()
    with _copy() as tree:
        path = tree / fault.path
        path.write_text(fault.planted(path.read_text(encoding="utf-8")), encoding="utf-8")
        _passed, failed = _run(tree, fault.red)
    print(f"{fault.row}  {fault.rule}: off in {fault.path}, {time.monotonic() - began:.0f} s")
    for test in fault.red:
        print(f"    {'red' if test in failed else 'STAYED GREEN':12} {test}", flush=True)
    return [test for test in fault.red if test not in failed]


@contextlib.contextmanager
def _copy() -> Iterator[Path]:
    """Copy the tree, as it is now, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, symlinks=True, ignore=_LEFT_OUT)
        if (ROOT / ".cache").is_dir():
            (tree / ".cache").symlink_to(ROOT / ".cache")
        yield tree


def _run(tree: Path, tests: Collection[str]) -> tuple[set[str], set[str]]:
    """Run tests in a tree; return those that passed and those that failed, with any of their parameters.

    A test that could not even be collected, or has not ended, is in neither.
    """
    report = tree.parent / "report.xml"
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONWARNDEFAULTENCODING": "1"}
    options = ("-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_family=xunit1")
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT,
            check=False,
        )
    passed: set[str] = set()
    failed: set[str] = set()
    if not report.exists():
        return passed, failed
    for case in ET.parse(report).getroot().iter("testcase"):
        test = f"{case.get('file')}::{str(case.get('name')).partition('[')[0]}"
        if case.find("failure") is not None:
            failed.add(test)
        elif case.find("error") is None and case.find("skipped") is None:
            passed.add(test)
    return passed, failed


if __name__ == "__main__":
    sys.exit(main())
