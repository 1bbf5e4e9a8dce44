"""A message bus of a test's own, and a lamp on it that can misbehave."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LAMP, PATH = "com.example.Lamp", "/com/example/lamp"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_XML = f"""
<node>
  <interface name="{LAMP}">
    <method name="Blink"><arg type="u" direction="in"/><arg type="as" direction="in"/><arg type="s" direction="out"/></method>
    <method name="Echo"><arg type="v" direction="in"/><arg type="v" direction="out"/></method>
    <method name="Fail"/>
    <method name="Sleep"/>
    <property name="Brightness" type="y" access="readwrite"/>
    <property name="Names" type="a{{sv}}" access="read"/>
  </interface>
</node>
"""


@contextlib.contextmanager
def message_bus(folder: Path, listen: str = "") -> Iterator[str]:
    """Start dbus-daemon; return the address of its bus, which is in the folder unless `listen` says where."""
    configuration = folder / "bus.conf"
    configuration.write_text(
        f"<busconfig><type>session</type><listen>{listen or f'unix:path={folder}/bus'}</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>',
        encoding="utf-8",
    )
    process = subprocess.Popen(
        ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().partition(",")[0]
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


class Lamp:
    """Answers on the bus until it is closed."""

    def __init__(self, address: str) -> None:
        from jeepney import message_bus as bus
        from jeepney.io.threading import DBusRouter, Proxy, open_dbus_connection

        self.brightness = 7
        self.sleeper: threading.Thread | None = None
        self.asleep: Callable[[], object] = lambda: None
        self._connection = open_dbus_connection(address, auth_timeout=30)
        with DBusRouter(self._connection) as router:
            Proxy(bus, router, timeout=30).RequestName(LAMP)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._connection.interrupt()
        self._thread.join()
        self._connection.close()

    def signal(self, member: str, signature: str, *args: Any) -> None:
        """Send a signal."""
        from jeepney import DBusAddress, new_signal

        self._connection.send(new_signal(DBusAddress(PATH, interface=LAMP), member, signature, args))

    def _serve(self) -> None:
        from jeepney.io.threading import ReceiveStopped

        with contextlib.suppress(ReceiveStopped, OSError, EOFError):  # the bus may end first
            while True:
                message = self._connection.receive()
                if message.header.message_type.value == 1:
                    self._answer(message)

    def _answer(self, message: Any) -> None:
        from jeepney import new_error, new_method_return

        member = {field.name: value for field, value in message.header.fields.items()}["member"]
        made = getattr(self, f"_{member.lower()}", None)
        if member == "Sleep":
            self.sleeper = threading.Thread(target=self.asleep, daemon=True)
            self.sleeper.start()
            return
        if made is None:
            self._connection.send(new_error(message, f"{LAMP}.Error.Burnt", "s", ("the lamp has burnt out",)))
            return
        signature, body = made(*message.body)
        self._connection.send(new_method_return(message, signature, body))

    def _introspect(self) -> tuple[str, tuple[Any, ...]]:
        return "s", (_XML,)

    def _blink(self, times: int, colours: list[str]) -> tuple[str, tuple[Any, ...]]:
        self.signal("Blinked", "us", times, ",".join(colours))
        return "s", (f"{times} times {'/'.join(colours)}",)

    def _echo(self, value: tuple[str, Any]) -> tuple[str, tuple[Any, ...]]:
        return "v", (value,)

    def _get(self, _interface: str, name: str) -> tuple[str, tuple[Any, ...]]:
        return "v", (self._properties()[name],)

    def _getall(self, _interface: str) -> tuple[str, tuple[Any, ...]]:
        return "a{sv}", (self._properties(),)

    def _set(self, _interface: str, _name: str, value: tuple[str, Any]) -> tuple[str, tuple[Any, ...]]:
        assert value[0] == "y", value
        self.brightness = value[1]
        return "", ()

    def _properties(self) -> dict[str, tuple[str, Any]]:
        return {
            "Brightness": ("y", self.brightness),
            "Names": ("a{sv}", {"short": ("s", "lamp"), "number": ("i", 3)}),
        }


def missing() -> str:
    """Return why there is no message bus, empty when there is."""
    return "" if shutil.which("dbus-daemon") else "dbus-daemon is not installed"
