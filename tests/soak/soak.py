"""Plays recipes many times with a busy loop on each core; prints how often each passed: `make soak`.

Every round is a run of its own, from power-on to clean-up. A round that does not pass is
not played again: it is counted, and its results are kept.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ("recipes/qemu_uboot.yaml", "recipes/qemu_linux.yaml")
ROUND_LIMIT = 900.0
"""Seconds until a round is taken for stuck; the recipes' own limits are far below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run of a recipe: its exit code (-1: stuck), how long it took, what it printed."""

    recipe: str
    status: int
    seconds: float
    printed: str


def main() -> int:
    """Play every recipe so many times; return 1 when a round did not pass."""
    asked = _arguments()
    print(f"{asked.count} rounds of {len(asked.recipes)} recipes, {asked.loops} busy loops", flush=True)
    with busy(asked.loops):
        rounds = [_tell(_play(recipe)) for _ in range(asked.count) for recipe in asked.recipes]
    return _tally(rounds, asked.recipes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=50, help="rounds of each recipe (default 50)")
    parser.add_argument("recipes", nargs="*", default=RECIPES, help="which recipes to play")
    parser.add_argument(
        "--loops", type=int, default=os.cpu_count(), help="busy loops beside it (default: one per core)"
    )
    return parser.parse_args()


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep so many processes spinning for as long as the block lasts, and this process."""
    spin = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    spinning = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def _play(recipe: str) -> Round:
    began = time.monotonic()
    command = [sys.executable, "-m", "runner", "play", recipe, "--results", "results/soak", "--no-input"]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=ROUND_LIMIT,
            check=False,
        )
        status, printed = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        status, printed = -1, str(error)
    return Round(recipe=recipe, status=status, seconds=time.monotonic() - began, printed=printed)


def _tell(played: Round) -> Round:
    how = "passed" if played.status == 0 else f"EXIT {played.status}"
    print(f"{time.strftime('%H:%M:%S')} {how:8} {played.seconds:6.1f} s  {played.recipe}", flush=True)
    if played.status:
        print(played.printed, flush=True)
    return played


def _tally(rounds: Sequence[Round], recipes: Sequence[str]) -> int:
    for recipe in recipes:
        mine = [each for each in rounds if each.recipe == recipe]
        good = sum(each.status == 0 for each in mine)
        times = sorted(each.seconds for each in mine)
        print(
            f"{recipe}: {good} of {len(mine)} passed; "
            f"shortest {times[0]:.1f} s, median {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s"
        )
    return int(any(each.status for each in rounds))


if __name__ == "__main__":
    sys.exit(main())
