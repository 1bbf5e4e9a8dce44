"""``python -m runner.agent``: the agent, with its warden around it."""

import sys
from typing import NoReturn

from runner.agent.estate import Estate
from runner.agent.warden import guard


def _agent(estate: Estate) -> NoReturn:
    from runner.agent.importer import PushedSources
    from runner.agent.main import main

    sources = PushedSources()
    sys.meta_path.insert(0, sources)
    main(sources, estate)


def _heir(estate: Estate) -> NoReturn:
    from runner.agent.importer import PushedSources
    from runner.agent.main import inherit

    sources = PushedSources()
    sys.meta_path.insert(0, sources)
    inherit(sources, estate)


if __name__ == "__main__":
    sys.exit(guard(_agent, _heir))
