"""Wait for a message at an MQTT broker, or for its absence."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    ByteString,
    Context,
    Duration,
    Failed,
    Misfit,
    Module,
    MqttBroker,
    MqttMessage,
    Result,
    TimedOut,
    arg,
    device,
)
from runner.api.json_path import at_path, parsed, shown
from runner.api.mqtt import matches, wrong_topic
from runner.modules.mqtt.blame import named

_SHOWN = 8


class Heard(Result):
    """The message; empty when none had to come."""

    topic: str = ""
    payload: str = ""
    """As text; bytes that are none are replaced."""
    data: ByteString = ByteString("")
    """The same as bytes."""
    value: Any = None
    """What is at the path, when one was given."""
    retained: bool = False
    """Whether the broker had kept it."""
    elapsed: Duration = Duration(0)
    """How long it was waited; 0 for what was there before."""
    number: int = 0
    """Its place in the broker's record, from 1."""


class MqttExpect(Module):
    """Wait until a message comes at an MQTT broker, or make sure that none does.

    Looked at are the messages since the latest `mqtt_publish` at this broker, or since the first
    step that used it when there was none, also those that came before this step began. What the
    broker had kept (retained) does not count unless `retained_ok`, for it may be of long ago; with
    it, the broker is asked anew for what it keeps.

    Example::

        - mqtt_publish: {topic: dut/led, payload: "on"}
        - mqtt_expect: {topic: dut/state/led, pattern: "^on$", within: 2s}
        - mqtt_expect: {topic: dut/+/status, json_path: sensor.temperature, within: 30s}
          expect: result.value < 40
        - mqtt_expect: {topic: dut/alarm, absent: true, within: 3s}
    """

    limited_by = "within"

    topic: str = arg(primary=True, help="its topic; + stands for one level, # for the rest")
    pattern: str = arg(default="", help="a regular expression that is found in its text; empty: any")
    json_path: str = arg(
        default="", help="where in its JSON to look: keys and places joined by dots, sensors.0.name"
    )
    value: Any = arg(default=None, help="what must be there; left out: anything")
    within: Duration = arg(default=Duration("5s"), help="how long to wait")
    retained_ok: bool = arg(default=False, help="whether what the broker has kept counts, too")
    absent: bool = arg(default=False, help="true: no such message may come as long as that")
    since: Literal["publish", "start", "now"] | int = arg(
        default="publish",
        help="the messages to look at: since the latest mqtt_publish, since the broker was first used, "
        "from now on, or after the message of this number",
    )
    broker: MqttBroker = device(help="the broker it comes at")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no topic or no regular expression, and where a value is looked for in no JSON."""
        if wrong := wrong_topic(given.get("topic", "x"), wildcards=True):
            yield Misfit("topic", wrong)
        if given.get("value") is not None and given.get("json_path") == "":
            yield Misfit("value", "a value is looked for in JSON", "add json_path, or use pattern")
        try:
            re.compile(given.get("pattern", ""))
        except re.error as error:
            yield Misfit("pattern", f"{given['pattern']!r} is no regular expression: {error}")

    def run(self, context: Context) -> Heard:
        """Look at messages until one matches or the time is over."""
        regex = re.compile(self.pattern)
        with named(context):
            self.broker.connect()
            after = self._start()
            if self.retained_ok or not self.broker.hears(self.topic):
                self.broker.listen([self.topic], self.within)
            return self._found(regex, after, context)

    def _found(self, regex: re.Pattern[str], first: int, context: Context) -> Heard:
        after = first
        started = time.monotonic()
        end = started + self.within
        others: deque[tuple[MqttMessage, str]] = deque(maxlen=_SHOWN)
        while message := self.broker.next(after, max(end - time.monotonic(), 0.0), context):
            after = message.number
            if message.time > end:
                break
            if not (why := self._why_not(message, regex)):
                if self.absent:
                    raise self._unwanted(message)
                return self._heard(message, started)
            others.append((message, why))
        self.broker.check_whole(first)
        if self.absent:
            return Heard(elapsed=self.within)
        raise self._missing(others)

    def _start(self) -> int:
        match self.since:
            case "publish":
                return self.broker.last_published
            case "start":
                return 0
            case "now":
                return self.broker.latest()
            case number:
                return number

    def _why_not(self, message: MqttMessage, regex: re.Pattern[str]) -> str:
        """Say why a message is not the one; empty when it is."""
        if not matches(message.topic, self.topic):
            return "another topic"
        if message.retained and not self.retained_ok:
            return "kept by the broker"
        if not regex.search(message.text):
            return "no match"
        try:
            found = self._value(message)
        except (LookupError, ValueError) as error:
            return str(error)
        return "" if self.value is None or _same(found, self.value) else f"{found!r} there"

    def _value(self, message: MqttMessage) -> object:
        return at_path(parsed(bytes(message.payload)), self.json_path) if self.json_path else None

    def _heard(self, message: MqttMessage, started: float) -> Heard:
        return Heard(
            topic=message.topic,
            payload=message.text,
            data=message.payload,
            value=self._value(message),
            retained=message.retained,
            elapsed=Duration(max(message.time - started, 0.0)),
            number=message.number,
        )

    def _missing(self, others: deque[tuple[MqttMessage, str]]) -> TimedOut:
        near = [each for each in others if matches(each[0].topic, self.topic)] or list(others)
        seen = f", but {_shown(*near[-1])}" if near else ", and no other message"
        return TimedOut(
            f"no message on {self._wanted()} within {self.within}{seen}",
            evidence={
                "expected": self._wanted(),
                "broker": self.broker.where(),
                "others": [_shown(*each) for each in others],
                "within": float(self.within),
                "limit": "within",
            },
        )

    def _unwanted(self, message: MqttMessage) -> Failed:
        return Failed(
            f"{message.topic!r} said {shown(message.text)}, which must not come within {self.within}",
            evidence={"unexpected": self._wanted(), "payload": message.text, "within": float(self.within)},
        )

    def _wanted(self) -> str:
        pattern = f" with {self.pattern!r}" if self.pattern else ""
        value = "" if self.value is None else f" = {self.value!r}"
        return f"{self.topic!r}{pattern}" + (f" with {self.json_path}{value}" if self.json_path else "")


def _same(found: object, wanted: object) -> bool:
    """Compare two values as JSON does, where true is not 1."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _shown(message: MqttMessage, why: str) -> str:
    return f"{message.topic!r} said {shown(message.text)} ({why})"
