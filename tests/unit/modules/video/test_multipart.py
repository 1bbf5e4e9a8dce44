"""Streams of pictures, split wherever the network likes."""

import pytest

from runner.modules.video.multipart import Parts, boundary_of

TWO = [b"\xff\xd8one\r\n\r\n\xff\xd9", b"\xff\xd8--fram two\xff\xd9"]
STREAMS = {
    "with lengths": b"\r\n".join(
        b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b" % (len(each), each)
        for each in TWO
    ),
    "without lengths": b"".join(b"--frame\nContent-Type: image/jpeg\n\n%b\r\n" % each for each in TWO)
    + b"--frame--",
    "with a preamble": b"hello\r\n--frame\r\ncontent-length:%d\r\n\r\n%b\r\n--frame\r\nX: 1\r\n\r\n%b\r\n--frame--\r\n"
    % (len(TWO[0]), *TWO),
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_parts_are_the_same_wherever_the_stream_is_split(name: str) -> None:
    stream = STREAMS[name]
    for at in range(len(stream) + 1):
        parts = Parts(boundary_of("multipart/x-mixed-replace; boundary=frame"))
        found = [*parts.feed(stream[:at], 1.0), *parts.feed(stream[at:], 2.0)]

        assert [each.content for each in found] == TWO, at
        assert found[0].began == (1.0 if at >= stream.index(b"--frame") + 9 else 2.0), at


def test_a_part_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="the head of a part does not end"):
        Parts("frame").feed(b"--frame\r\n" + b"x" * 20_000, 0.0)
    with pytest.raises(ValueError, match="a part has 99999999 bytes"):
        Parts("frame").feed(b"--frame\r\nContent-Length: 99999999\r\n\r\n", 0.0)
