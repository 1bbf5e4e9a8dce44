import pytest

from runner.agent.calls import Configure
from runner.api.verdicts import Unreachable
from runner.connect.agent import AgentLink, OpenPort
from runner.engine.cancel import Cancellation


def test_a_host_that_could_not_be_reached_is_not_tried_again_in_this_run() -> None:
    tried: list[Unreachable] = []

    def open_port() -> OpenPort:
        tried.append(Unreachable("shelf1: connection refused", hint="does an SSH server run there?"))
        raise tried[-1]

    link = AgentLink(open_port, name="the agent", sources=dict, console=print, heard=print)
    assert link.lost == ""
    for _ in range(3):
        with pytest.raises(Unreachable, match="shelf1: connection refused") as caught:
            link.call(Configure("b", {}), print, cancel=Cancellation())
        assert caught.value.hint == "does an SSH server run there?"
    link.close()

    assert len(tried) == 1
    assert link.lost == "shelf1: connection refused"
