"""Serial ports through pyserial (pySerial documentation, "URL Handlers")."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Driver, Duration, Needs, Unreachable, arg
from runner.console import ConsoleSettings, LineSettings, LineState, SerialConsole, Stream
from runner.modules.console.modem import PARITIES, PORT_ERRORS, Modem
from runner.modules.console.port import open_port


class Serial(Driver, SerialConsole):
    """A serial port: one of the host, or one behind TCP or RFC 2217.

    A port under `/dev/serial/by-id/` keeps its name when it is plugged in again. It is opened
    for us alone, raw, and closing it does not change its modem lines.

    Example::

        devices:
          console: {driver: serial, port: /dev/serial/by-id/usb-FTDI_FT1234-if00, baudrate: 115200}
    """

    port: str = arg(
        primary=True,
        help="a device of the host, or a URL: socket://HOST:PORT, rfc2217://HOST:PORT, loop://",
        examples=("/dev/ttyUSB0", "socket://terminal-server:4001"),
    )
    baudrate: int = arg(default=115200, help="bits per second", minimum=1)
    bytesize: Literal[5, 6, 7, 8] = arg(default=8, help="data bits")
    parity: Literal["none", "even", "odd", "mark", "space"] = arg(default="none", help="the parity bit")
    stopbits: Literal[1, 2] = arg(default=1, help="stop bits")
    rtscts: bool = arg(default=False, help="flow control by RTS and CTS")
    xonxoff: bool = arg(default=False, help="flow control by XON and XOFF")
    dtr: bool = arg(default=True, help="the DTR line while the port is open")
    rts: bool = arg(default=True, help="the RTS line while the port is open, without rtscts")
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how the console is used")

    def needs(self) -> Needs:
        """Return the port."""
        return Needs(nodes=(self.port,))

    def connect(self) -> Stream:
        """Open the port; raise Unreachable when it is not there, or somebody else has it."""
        import serial

        try:
            port = serial.serial_for_url(
                self.port,
                do_not_open=True,
                baudrate=self.baudrate,
                bytesize=self.bytesize,
                parity=PARITIES[self.parity],
                stopbits=self.stopbits,
                rtscts=self.rtscts,
                xonxoff=self.xonxoff,
            )
            port.dtr = self.dtr
            port.rts = self.rts
            stream = open_port(port, self.port)
            self._modem = Modem(port, self.port)
        except (serial.SerialException, *PORT_ERRORS) as error:
            raise Unreachable(
                f"cannot open the serial port {self.port!r}: {error}",
                evidence={"port": self.port, "baudrate": self.baudrate},
                hint=_hint(error, self.port),
            ) from error
        return stream

    def stop(self) -> None:
        """Put the port's errors into the log, and let go of it."""
        live = self._live
        if live is not None and not live.source.gone:
            counters = self._modem.counters()
            if counters is not None and counters.errors:
                errors = ", ".join(f"{number} {name}" for name, number in counters.errors.items())
                live.remark(f"the port counted errors: {errors}")
        super().stop()

    def lines(self) -> LineState:
        """Read the modem lines and the counters."""
        return self._open_modem().lines()

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set DTR and RTS, also for when the port is opened again."""
        self._open_modem().set_lines(dtr, rts)
        self.dtr = self.dtr if dtr is None else dtr
        self.rts = self.rts if rts is None else rts

    def send_break(self, duration: Duration, context: Context) -> None:
        """Hold the line for so long."""
        self._open_modem().send_break(duration, context)

    def line_settings(self) -> LineSettings:
        """Return how characters are sent."""
        return LineSettings(
            baudrate=self.baudrate,
            bytesize=self.bytesize,
            parity=self.parity,
            stopbits=self.stopbits,
            rtscts=self.rtscts,
            xonxoff=self.xonxoff,
        )

    def set_line_settings(self, settings: LineSettings) -> None:
        """Change how characters are sent, once what was typed is out; also for when it is opened again."""
        self._open_modem().apply(settings)
        self.baudrate, self.parity = settings.baudrate, settings.parity
        self.bytesize, self.stopbits = settings.bytesize, settings.stopbits
        self.rtscts, self.xonxoff = settings.rtscts, settings.xonxoff

    def _open_modem(self) -> Modem:
        live = self._use
        live.check_present()
        self._modem.device = live.name
        return self._modem


def _hint(error: Exception, port: str) -> str:
    text = str(error)
    if "lock" in text:
        return "somebody else uses it: 'fuser -v' names the process"
    if port.startswith("rfc2217://") and "ign_set_control" not in port:
        return "a server without modem lines wants ?ign_set_control at the end of the URL"
    return ""
