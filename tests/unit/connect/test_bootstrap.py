import pytest

from runner.agent.calls import Heard, Said
from runner.connect.bootstrap import RemoteAgent, payload
from runner.connect.ended import Ended


class Program:
    """A pipe to a program that says these pieces and ends."""

    def __init__(self, *pieces: bytes, ended: Ended | None = None) -> None:
        self.sent = b""
        self._pieces = list(pieces)
        self._ended = ended or Ended(status=1, how="exit status 1")

    def read(self, size: int, timeout: float) -> bytes | None:
        del size, timeout
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, data: bytes) -> None:
        self.sent += data

    def end(self) -> Ended:
        return self._ended

    def release(self) -> None:
        pass


def test_the_mark_is_found_wherever_the_bytes_are_cut() -> None:
    sent = payload()
    said = b"welcome\n" + sent.mark + b"frames"
    for cut in range(1, len(said)):
        heard: list[Heard] = []
        agent = RemoteAgent(Program(said[:cut], said[cut:]), sent, heard.append, python="python3")
        got = b""
        while data := agent.read(100, 1.0):
            got += data
        assert got == b"frames"
        assert heard == [Said(text="printed before the agent began: 'welcome'", level="debug")]


def test_whoever_talks_on_and_on_is_not_listened_to_forever() -> None:
    agent = RemoteAgent(Program(*[bytes(2**19)] * 9), payload(), print, python="python3")
    with pytest.raises(OSError, match="more than 1048576 bytes came, and none from it"):
        agent.read(100, 1.0)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (
            Ended(status=127, how="exit status 127", said="sh: 1: python3: not found"),
            "'python3' cannot be run",
        ),
        (Ended(status=126, how="exit status 126"), "'python3' cannot be run there (exit status 126)"),
        (
            Ended(status=1, how="exit status 1", said="runner needs Python 3.10, and this is 3.9"),
            "python3 is Python 3.9 there, and 3.10 is needed",
        ),
        (Ended(status=255, how="exit status 255", said="ssh: Connection refused"), "does an SSH server run"),
        (
            Ended(status=255, how="exit status 255", said="oh"),
            "ssh could not connect: oh; try the same with ssh -v",
        ),
        (Ended(status=1, how="exit status 1", said="x"), "it had not begun: exit status 1; does the shell"),
    ],
)
def test_why_no_agent_began_is_said_with_what_to_do(ended: Ended, told: str) -> None:
    agent = RemoteAgent(Program(ended=ended), payload(), print, python="python3")
    assert agent.read(100, 1.0) == b""
    assert told in agent.last_words()
