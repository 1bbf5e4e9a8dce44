"""``python -m runner.agent``: the agent, with its warden around it."""

import sys
from typing import NoReturn

from runner.agent.warden import guard


def _agent() -> NoReturn:
    from runner.agent.importer import PushedSources
    from runner.agent.main import main

    sources = PushedSources()
    sys.meta_path.insert(0, sources)
    main(sources)


if __name__ == "__main__":
    sys.exit(guard(_agent))
