import threading

import pytest

from runner.agent.calls import Configure
from runner.api.verdicts import Cancelled, Unreachable
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


class LatePort:
    """A port to an agent that says nothing; it notes how it is treated."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.released = threading.Event()
        self._ended = threading.Event()

    def read(self, _size: int, timeout: float) -> bytes | None:
        return b"" if self._ended.wait(timeout) else None

    def write(self, data: bytes) -> None:
        pass

    def last_words(self) -> str:
        self.done.append("ended")
        self._ended.set()
        return ""

    def release(self) -> None:
        self.done.append("released")
        self.released.set()


def test_a_cancel_does_not_wait_for_a_host_that_is_being_reached_and_who_reaches_it_late_is_ended() -> None:
    reached, port, cancel = threading.Event(), LatePort(), Cancellation()

    def open_port() -> OpenPort:
        cancel.cancel("SIGINT")
        reached.wait(60)
        return port

    link = AgentLink(open_port, name="the agent", sources=dict, console=print, heard=print)
    with pytest.raises(Cancelled, match="SIGINT"):
        link.call(Configure("b", {}), print, cancel=cancel)
    assert (link.lost, port.done) == ("", [])
    link.close()
    reached.set()

    assert port.released.wait(60)
    assert port.done == ["ended", "released"]
