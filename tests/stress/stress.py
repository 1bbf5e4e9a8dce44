"""Lets 200 clients have one bench while some are killed, and prints what came of it: `make stress`.

Nobody may ever share the bench, wait for ever, or be overtaken, and it has to be free within a second
of its holder's death.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.queue_storm import free_at_the_end, storm
from support.ssh_server import ssh_server


def main() -> int:
    """Return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=200, help="how many clients")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="for the kills")
    parser.add_argument("--at-once", type=int, default=60, help="how many of them at the same time")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, ssh_server(Path(folder) / "shelf1") as server:
        it = storm(server, asked.count, seed=asked.seed, at_once=asked.at_once, kills=0.5)
        print(it)
        broken = {
            "failed without being killed": it.failed,
            "two at once": it.double(),
            "overtaken": it.out_of_order(),
            "not free within 1 s": [each for each in it.freed if each > 1.0],
            "not free at the end": [] if free_at_the_end(server) else ["b"],
        }
    for what, which in broken.items():
        print(f"{what}: {len(which)}{': ' + str(which[:5]) if which else ''}")
    return 1 if any(broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
