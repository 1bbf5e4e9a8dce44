import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.agent.calls import Alarm, Configure, ConsoleBytes, Ended, Heard, Piece, Run, Said, Saved, Saving
from runner.agent.consoles import pack_alarm, pack_chunk, pack_name
from runner.agent.credit import WINDOW
from runner.agent.frames import CONNECTION, FIRST_CONSOLE, PROTOCOL, Frame, FrameReader, Kind, frame
from runner.agent.messages import Message, MessageReader, to_json, unpack_sources
from runner.agent.outbox import Outbox
from runner.agent.wording import pack, unpack_cancel
from runner.api import Failed, LabError
from runner.connect.channel import Channel
from runner.console import Chunk
from runner.console.alarm import Alarm as Sighted
from runner.engine.cancel import Cancellation

HELLO = frame(Kind.HELLO, CONNECTION, to_json({"protocol": PROTOCOL}))
SEEN = Sighted(3, "seen", "panic", "kernel panic", "Kernel", 7, others=("x",))
RUN = Run(bench="b", path="x:Uboot", arguments={}, devices={"console": "console"}, limit=60.0)
BYE = "the agent died: killed by a test"
CONSOLE = frame(Kind.EVENT, FIRST_CONSOLE, pack_name("b", "c"))


class Agent:
    """A port with an agent behind it that does what the test says."""

    def __init__(self, first: bytes = HELLO) -> None:
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self._asked: SimpleQueue[Message] = SimpleQueue()
        self._frames, self._messages = FrameReader(), MessageReader()
        self.outbox = Outbox(self._answers.put)
        self._answers.put(first)

    def read(self, size: int, timeout: float) -> bytes | None:
        del size
        try:
            return self._answers.get(timeout=timeout)
        except Empty:
            return None

    def write(self, data: bytes) -> None:
        for each in self._frames.feed(data):
            message = self._messages.take(each)
            if message is not None and message.kind not in {Kind.HELLO, Kind.PING}:
                self._asked.put(message)

    def last_words(self) -> str:
        return "killed by a test"

    def asked(self) -> Message:
        return self._asked.get(timeout=60)

    def send(self, data: bytes) -> None:
        self._answers.put(data)

    def die(self) -> None:
        self._answers.put(b"")


class Caller:
    """A call on a thread of its own."""

    def __init__(
        self, channel: Channel, request: Any = RUN, hear: Callable[[Heard], None] | None = None
    ) -> None:
        self.heard: list[Heard] = []
        self.cancel = Cancellation()
        self.answer: Any = None
        self.error: BaseException | None = None
        arguments = (channel, request, hear or self.heard.append)
        self._thread = threading.Thread(target=self._call, args=arguments)
        self._thread.start()

    def _call(self, channel: Channel, request: Any, hear: Callable[[Heard], None]) -> None:
        try:
            self.answer = channel.call(request, hear, self.cancel)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def join(self) -> "Caller":
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self


def nobody(_heard: object) -> None:
    pass


def open_channel(
    agent: Agent,
    console: Callable[[ConsoleBytes], None] = nobody,
    heard: Callable[[Heard], None] = nobody,
) -> Channel:
    return Channel(agent, {}, console, heard, name="the agent", patience=60.0)


def end_of(call: Message, kind: Kind, value: object) -> bytes:
    return frame(kind, call.stream, to_json(value)) + frame(Kind.END, call.stream)


def test_an_answer_comes_back_with_what_was_heard_before_it() -> None:
    agent = Agent()
    caller = Caller(open_channel(agent))
    call = agent.asked()
    assert call.payload == pack(RUN)
    agent.outbox.say(Kind.EVENT, call.stream, pack(Said("hello")))
    agent.outbox.say(Kind.EVENT, call.stream, pack(Saving("log", 5)))
    for part in (b"R12", b"R345"):
        agent.outbox.say(Kind.DATA, call.stream, part)
    agent.outbox.say(Kind.EVENT, call.stream, pack(Saved("log", 5, "?")))
    agent.send(end_of(call, Kind.RESULT, {"n": 2**70}))
    assert caller.join().answer == {"n": 2**70}
    assert caller.heard == [
        Said("hello"),
        Saving("log", 5),
        Piece(b"12"),
        Piece(b"345"),
        Saved("log", 5, "?"),
    ]


def test_answers_find_their_callers_in_any_order() -> None:
    agent = Agent()
    channel = open_channel(agent)
    first = Caller(channel)
    one = agent.asked()
    second = Caller(channel)
    two = agent.asked()
    agent.send(end_of(two, Kind.RESULT, "two"))
    assert second.join().answer == "two"
    agent.send(end_of(one, Kind.RESULT, "one"))
    assert first.join().answer == "one"


def test_a_bad_end_is_raised() -> None:
    agent = Agent()
    caller = Caller(open_channel(agent))
    agent.send(
        end_of(agent.asked(), Kind.ERROR, Ended("Failed", "assertion", "no prompt", {"tail": "x"}, "type"))
    )
    error = caller.join().error
    assert isinstance(error, Failed)
    assert (error.message, error.evidence, error.hint) == ("no prompt", {"tail": "x"}, "type")


def test_a_cancel_is_told_once_and_the_answer_still_counts() -> None:
    agent = Agent()
    caller = Caller(open_channel(agent))
    call = agent.asked()
    caller.cancel.cancel("Ctrl-C")
    cancel = agent.asked()
    assert (cancel.kind, cancel.stream) == (Kind.CANCEL, call.stream)
    assert unpack_cancel(cancel.payload) == ("Ctrl-C", False)
    agent.send(end_of(call, Kind.RESULT, "all the same"))
    assert caller.join().answer == "all the same"


def test_an_agent_that_dies_ends_every_call_and_refuses_later_ones() -> None:
    agent = Agent()
    channel = open_channel(agent)
    callers = [Caller(channel) for _ in range(3)]
    for _ in callers:
        agent.asked()
    agent.die()
    assert [str(each.join().error) for each in callers] == [BYE] * 3
    assert channel.lost == BYE
    with pytest.raises(LabError, match="killed by a test"):
        channel.call(RUN, lambda _heard: None, Cancellation())


class Deaf(Agent):
    """Takes nothing, and has said something before it ended, which is read when the test says so."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.readable = threading.Event()
        self.was_read = False

    def read(self, size: int, timeout: float) -> bytes | None:
        self.readable.wait(30)
        self.was_read = True
        return super().read(size, timeout)

    def write(self, data: bytes) -> None:
        threading.Timer(0.05, self.readable.set).start()
        raise BrokenPipeError

    def last_words(self) -> str:
        return "it was heard out" if self.was_read else "nobody listened"


def test_an_agent_that_ended_before_it_was_greeted_is_heard_out() -> None:
    assert open_channel(Deaf()).lost == "the agent died: it was heard out"


def test_an_agent_that_says_nothing_for_long_is_taken_for_dead() -> None:
    channel = Channel(Agent(), {}, nobody, nobody, name="the agent", patience=0.05)
    assert str(Caller(channel).join().error) == "the agent gave no sign of life for 0.05s: killed by a test"


def test_our_silence_and_the_agents_have_limits_of_their_own() -> None:
    channel = Channel(Agent(), {}, nobody, nobody, name="the agent", patience=600.0, silence=0.05)
    assert str(Caller(channel).join().error) == "the agent gave no sign of life for 0.05s: killed by a test"


def test_what_is_pushed_comes_before_the_greeting_and_packed_when_it_is_large() -> None:
    agent = Agent()
    sources = {"lab.plug": ("/lab/plug.py", "word = 1\n" * 20_000)}
    Channel(agent, sources, nobody, nobody, name="the agent", patience=60.0)
    pushed = agent.asked()
    assert pushed.kind is Kind.PUSH
    assert len(pushed.payload) < 10_000
    assert unpack_sources(pushed.payload) == {"lab.plug": ["/lab/plug.py", "word = 1\n" * 20_000]}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"Welcome to Debian\r\n", "expected a frame, got b'Welcome to Debian"),
        (frame(Kind.HELLO, 0, b'{"protocol":99}'), "expected HELLO of protocol 1"),
        (frame(Kind.PONG, 0), "expected HELLO"),
        (HELLO + frame(Kind.ERROR, 0, b"cannot read you"), "cannot read you"),
        (HELLO + frame(Kind.EVENT, 1, b"{}"), "expected one of"),
        (HELLO + frame(Kind.EVENT, 99, b"{}"), "EVENT for the unknown call 99"),
        (HELLO + frame(Kind.CALL, 1) + frame(Kind.END, 1), "CALL in answer to Uboot"),
        (HELLO + frame(Kind.END, 1), "END in answer to Uboot"),
        (HELLO + frame(Kind.RESULT, 1, b"{") + frame(Kind.END, 1), "expected JSON"),
        (HELLO + frame(Kind.ERROR, 1, b"7") + frame(Kind.END, 1), "not the fields"),
        (HELLO + frame(Kind.EVENT, 1, b'{"Saved":{}}'), "not the fields"),
        (HELLO + frame(Kind.DATA, 1, b"x"), "DATA in answer to Uboot"),
        (HELLO + frame(Kind.DATA, FIRST_CONSOLE, b"x"), "bytes of the unknown console"),
        (
            HELLO + CONSOLE + frame(Kind.EVENT, FIRST_CONSOLE, b'{"Alarm":{"number":1}}'),
            "expected what a console tells",
        ),
        (HELLO + CONSOLE + frame(Kind.EVENT, FIRST_CONSOLE, b'{"Alarm":7}'), "expected what a console tells"),
    ],
)
def test_nonsense_ends_the_conversation_and_is_quoted(said: bytes, message: str) -> None:
    agent = Agent(first=b"" if not said.startswith(HELLO) else HELLO)
    if not said.startswith(HELLO):
        agent = Agent(first=said)
        caller = Caller(open_channel(agent))
    else:
        caller = Caller(open_channel(agent))
        agent.asked()
        agent.send(said[len(HELLO) :])
    error = caller.join().error
    assert isinstance(error, LabError)
    assert f"the agent broke the protocol: {message}" in error.message


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Frame, st.sampled_from(Kind), st.sampled_from([0, 1, 2, FIRST_CONSOLE]), st.binary(max_size=12)
        )
    ),
    st.binary(max_size=20),
)
def test_any_frames_end_in_an_answer_or_in_a_lost_agent_and_never_hang(
    said: list[Frame], garbage: bytes
) -> None:
    agent = Agent()
    channel = open_channel(agent)
    caller = Caller(channel)
    agent.send(b"".join(frame(*each) for each in said) + garbage)
    agent.die()
    caller.join()
    assert isinstance(caller.error, LabError) or caller.error is None or channel.lost


def test_console_bytes_are_heard_in_order_and_give_credit_when_they_are() -> None:
    agent, heard = Agent(), []
    channel = open_channel(agent, heard.append)
    agent.outbox.say(Kind.EVENT, FIRST_CONSOLE, pack_name("rpi4", "board.console"))
    for number in range(10):
        (payload,) = pack_chunk(Chunk(number * 30_000, 1, 2, bytes([number]) * 30_000))
        agent.outbox.say(Kind.DATA, FIRST_CONSOLE, payload)
    credit = agent.asked()
    assert (credit.kind, credit.stream) == (Kind.CREDIT, FIRST_CONSOLE)
    assert int.from_bytes(credit.payload, "big") >= WINDOW // 4
    caller = Caller(channel)
    agent.send(end_of(_call_among(agent), Kind.RESULT, None))
    caller.join()
    assert [each.index for each in heard] == [number * 30_000 for number in range(10)]
    assert {(each.bench, each.device) for each in heard} == {("rpi4", "board.console")}


def test_an_answer_waits_until_the_console_bytes_before_it_are_heard() -> None:
    agent, go, heard = Agent(), threading.Event(), []

    def console(chunk: ConsoleBytes) -> None:
        go.wait(60)
        heard.append(chunk.data)

    caller = Caller(open_channel(agent, console))
    call = agent.asked()
    (payload,) = pack_chunk(Chunk(0, 1, 2, b"panic"))
    agent.send(
        frame(Kind.EVENT, FIRST_CONSOLE, pack_name("b", "c")) + frame(Kind.DATA, FIRST_CONSOLE, payload)
    )
    agent.send(end_of(call, Kind.RESULT, None))
    caller._thread.join(0.05)
    assert caller._thread.is_alive()
    go.set()
    caller.join()
    assert heard == [b"panic"]


def test_an_alarm_of_a_console_is_heard_behind_its_bytes_and_before_the_answer() -> None:
    agent, heard = Agent(), []
    caller = Caller(open_channel(agent, lambda chunk: heard.append(chunk.data), heard.append))
    call = agent.asked()
    (payload,) = pack_chunk(Chunk(0, 1, 2, b"panic"))
    agent.send(CONSOLE + frame(Kind.DATA, FIRST_CONSOLE, payload))
    agent.send(frame(Kind.EVENT, FIRST_CONSOLE, pack_alarm(SEEN)))
    agent.send(end_of(call, Kind.RESULT, None))

    caller.join()
    assert heard == [
        b"panic",
        Alarm("b", "c", 3, "seen", "panic", "kernel panic", "Kernel", 7, others=("x",)),
    ]


def test_a_listener_that_fails_is_told_and_no_call_hangs() -> None:
    def console(_chunk: ConsoleBytes) -> None:
        raise ValueError("disk full")

    agent = Agent()
    caller = Caller(open_channel(agent, console))
    agent.asked()
    (payload,) = pack_chunk(Chunk(0, 1, 2, b"x"))
    agent.send(
        frame(Kind.EVENT, FIRST_CONSOLE, pack_name("b", "c")) + frame(Kind.DATA, FIRST_CONSOLE, payload)
    )
    assert "ValueError in a listener of its consoles: disk full" in str(caller.join().error)


def test_a_caller_that_goes_leaves_its_devices_busy_until_the_end_of_its_call() -> None:
    def hear(_heard: Heard) -> None:
        raise KeyboardInterrupt

    agent = Agent()
    channel = open_channel(agent)
    known = Caller(channel, Configure(bench="b", devices={}, aliases={"console": "board.console"}))
    agent.send(end_of(agent.asked(), Kind.RESULT, None))
    known.join()
    gone = Caller(channel, hear=hear)
    call = agent.asked()
    agent.outbox.say(Kind.EVENT, call.stream, pack(Said("x")))
    assert isinstance(gone.join().error, KeyboardInterrupt)
    assert agent.asked().kind is Kind.CANCEL
    again = Run(bench="b", path="x:Other", arguments={}, devices={"all": ["board.console"]}, limit=5.0)
    message = "board.console of bench 'b' is still in use: Uboot on bench 'b' did not stop when told to"
    assert str(Caller(channel, again).join().error) == message
    agent.outbox.say(Kind.EVENT, call.stream, pack(Said("late words are dropped")))
    agent.send(end_of(call, Kind.RESULT, None))
    free = Caller(channel, Run(bench="b", path="x:Other", arguments={}, devices={}, limit=5.0))
    agent.send(end_of(agent.asked(), Kind.RESULT, None))
    free.join()
    freed = Caller(channel, again)
    agent.send(end_of(agent.asked(), Kind.RESULT, "free"))
    assert freed.join().answer == "free"


def _call_among(agent: Agent) -> Message:
    while (message := agent.asked()).kind is not Kind.CALL:
        pass
    return message
