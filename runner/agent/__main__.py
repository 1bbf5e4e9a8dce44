"""``python -m runner.agent``: the agent, with its warden around it."""

import sys

from runner.agent.warden import guard


def _agent() -> int:
    from runner.agent.main import main

    return main()


if __name__ == "__main__":
    sys.exit(guard(_agent))
