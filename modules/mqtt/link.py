"""One connection of paho-mqtt to a broker, from its CONNECT to its end."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runner.api import ByteString, Duration, LabError, RecipeFault, Unreachable
from runner.api.mqtt import MqttMessage
from runner.modules.mqtt.broker import Broker

_KEEPALIVE = 20
"""Seconds without a word after which the broker is asked for one."""
_CONNECTED = "CONNECT"


class Limit:
    """A time that has begun to run; written as the whole of it."""

    def __init__(self, whole: Duration) -> None:
        """Begin now."""
        self.whole = whole
        self._end = time.monotonic() + whole

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self._end - time.monotonic(), 0.0)

    def __str__(self) -> str:
        """Write the whole of it."""
        return str(self.whole)


class Link:
    """A client that waits for each answer of its broker.

    paho connects again by itself, for ever, without a word, and also with wrong credentials; and
    what was not acknowledged it sends later. None of that is wanted of a switch: this link ends
    with the first thing that goes wrong.
    """

    def __init__(
        self, broker: Broker, heard: Callable[[MqttMessage], None], ended: Callable[[str], None]
    ) -> None:
        """Know the broker; `heard` gets each message, `ended` is told when and why it is over."""
        self._broker = broker
        self._heard = heard
        self._tell_end = ended
        self._answers: dict[int | str, Any] = {}
        self._complaints = _Complaints()
        self._end = ""
        self._changed = threading.Condition()
        self._wire = _Wire()
        self._client = self._made()

    @property
    def alive(self) -> bool:
        """Whether it still stands."""
        return not self._end

    def connect(self, limit: Limit) -> None:
        """Connect, and wait until the broker lets us in."""
        place = self._broker.place
        with self._translated(limit):
            if place.tls:
                self._client.tls_set_context(self._broker.trust())
                self._client.tls_insecure_set(self._broker.insecure)
            self._client.connect_timeout = max(limit.left, 0.001)
            self._client.connect(place.host, place.port, keepalive=_KEEPALIVE)
        self._client.loop_start()
        refused = self._answer(_CONNECTED, limit, "let us in")
        if refused.is_failure:
            raise self._refused(str(refused))

    def subscribe(self, topics: list[str], limit: Limit) -> None:
        """Subscribe, and wait until the broker has agreed to each."""
        _, number = self._client.subscribe([(topic, 1) for topic in topics])
        codes = self._answer(number, limit, f"agree to a subscription to {', '.join(topics)}")
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                raise LabError(
                    f"{self._broker.where} refuses a subscription to {topic!r}: {code}",
                    hint="what may this user read there?",
                )

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, limit: Limit) -> None:
        """Publish, and wait for the acknowledgement; with `qos` 0, until it is written."""
        self.acknowledged(self.send(topic, payload, qos=qos, retain=retain, limit=limit), topic, limit)

    def send(self, topic: str, payload: bytes, *, qos: int, retain: bool, limit: Limit) -> int:
        """Publish without waiting; return the number by which `acknowledged` knows it until the next one."""
        self._answers.clear()
        with self._translated(limit):
            number: int = self._client.publish(topic, payload, qos, retain).mid
        return number

    def acknowledged(self, number: int, topic: str, limit: Limit) -> None:
        """Wait until the broker has acknowledged a message; raise LabError when it does not or refuses."""
        code = self._answer(number, limit, f"acknowledge a message to {topic!r}")
        if code.is_failure:
            raise LabError(
                f"{self._broker.where} refuses a message to {topic!r}: {code}",
                hint="what may this user write there?",
            )

    def close(self) -> None:
        """Say goodbye and end."""
        self._client.disconnect()
        self._client.loop_stop()

    def _made(self) -> Any:
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        place = self._broker.place
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._broker.client_id,
            protocol=paho.MQTTv5 if self._broker.version == "5" else paho.MQTTv311,
            transport=place.transport,
            reconnect_on_failure=False,
        )
        if place.transport == "websockets":
            client.ws_set_options(path=place.path)
        if self._broker.username or self._broker.password:
            client.username_pw_set(self._broker.username, str(self._broker.password) or None)
        client.on_socket_open = lambda _client, _data, connection: self._wire.take(connection)
        client.on_socket_close = lambda _client, _data, _connection: self._wire.let_go()
        client.on_connect = lambda _client, _data, _flags, code, _more: self._note(_CONNECTED, code)
        client.on_subscribe = lambda _client, _data, number, codes, _more: self._note(number, codes)
        client.on_publish = lambda _client, _data, number, code, _more: self._note(number, code)
        client.on_message = lambda _client, _data, message: self._hear(message)
        client.on_disconnect = lambda _client, _data, _flags, code, _more: self._over(str(code))
        client.enable_logger(self._complaints)
        return client

    def _note(self, of: int | str, answer: Any) -> None:
        self._wire.acknowledge()
        with self._changed:
            self._answers[of] = answer
            self._changed.notify_all()

    def _hear(self, message: Any) -> None:
        self._wire.acknowledge()
        self._heard(_message(message))

    def _over(self, why: str) -> None:
        with self._changed:
            self._end = f"the connection ended: {self._complaints.last or why}"
            self._changed.notify_all()
        self._tell_end(self._end)

    def _answer(self, of: int | str, limit: Limit, doing: str) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: of in self._answers or self._end, limit.left)
            if of in self._answers:
                return self._answers.pop(of)
        if self._end:
            raise Unreachable(
                f"{self._broker.where} did not {doing}: {self._end}", hint=_hint_for_end(self._broker)
            )
        raise Unreachable(
            f"{self._broker.where} did not {doing} within {limit}",
            evidence={"broker": self._broker.address, "limit": float(limit.whole)},
            hint="is that an MQTT broker, and is it overloaded?",
        )

    def _refused(self, why: str) -> LabError:
        user = f" of user {self._broker.username!r}" if self._broker.username else ""
        return LabError(
            f"{self._broker.where} refuses the connection{user}: {why}",
            evidence={"broker": self._broker.address, "username": self._broker.username},
            hint="are 'username' and 'password' right?",
        )

    @contextmanager
    def _translated(self, limit: Limit) -> Iterator[None]:
        """Turn the errors of paho and of the network into those of the lab: the only place for that."""
        where = self._broker.where
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise LabError(
                f"{where} shows a certificate that is not trusted: {error.verify_message}",
                hint="'ca' names the file with the certificate that it is signed by",
            ) from error
        except ssl.SSLError as error:
            raise LabError(f"{where}: no TLS with it: {error}", hint="is that the port for TLS?") from error
        except TimeoutError as error:
            raise Unreachable(
                f"{where} did not answer within {limit}", evidence={"limit": float(limit.whole)}
            ) from error
        except OSError as error:
            raise Unreachable(f"{where} cannot be reached: {error.strerror or error}") from error
        except ValueError as error:
            raise RecipeFault(f"{where}: {error}") from error


def _hint_for_end(broker: Broker) -> str:
    return (
        "does it ask for a certificate of ours?"
        if broker.place.tls
        else "is that its port, and one without TLS?"
    )


class _Complaints(logging.Logger):
    """Keeps the last of paho's errors: what it calls back with says only that there was one."""

    def __init__(self) -> None:
        super().__init__("mqtt", logging.ERROR)
        self.last = ""

    def handle(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


class _Wire:
    """A second hold on the connection's socket, to keep small packets from waiting for one another.

    paho leaves Nagle's algorithm on, and so do brokers as they come: they hold a message back until
    the packet before it is acknowledged, which a kernel puts off for 40 ms (tcp(7)).
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def take(self, connection: Any) -> None:
        """Take hold of a connection, and send each packet at once."""
        held = socket.socket(fileno=os.dup(connection.fileno()))
        if held.family == socket.AF_UNIX:
            held.close()
            return
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = held

    def acknowledge(self) -> None:
        """Acknowledge at once what has been received."""
        if self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def let_go(self) -> None:
        """Let the connection end."""
        held, self._socket = self._socket, None
        if held is not None:
            held.close()


def _message(message: Any) -> MqttMessage:
    return MqttMessage(
        topic=message.topic, payload=ByteString(message.payload), retained=message.retain, qos=message.qos
    )
