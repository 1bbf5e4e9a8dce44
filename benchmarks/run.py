"""Run every benchmark beside its peers and print the ratios."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def everything() -> set[str]:
    """Return the names of all benchmarks: the files here that measure something by themselves."""
    return {each.stem for each in HERE.glob("*.py") if "__main__" in each.read_text(encoding="utf-8")} - {
        "run"
    }


def main() -> None:
    for name in sys.argv[1:] or sorted(everything()):
        print(f"--- {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], cwd=HERE, check=True)


if __name__ == "__main__":
    main()
