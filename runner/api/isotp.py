"""Messages of more bytes than a CAN frame holds (ISO 15765-2, "ISO-TP")."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from runner.api.diagnostics import Message
from runner.api.interfaces import Interface
from runner.api.misfit import Misfit
from runner.api.module import Options, arg
from runner.api.values import Duration

if TYPE_CHECKING:
    from runner.api.context import Context

AddressingMode = Literal[
    "Normal_11bits",
    "Normal_29bits",
    "NormalFixed_29bits",
    "Extended_11bits",
    "Extended_29bits",
    "Mixed_11bits",
    "Mixed_29bits",
]
_FOR_TX: Mapping[str, tuple[str, ...]] = {
    "Normal": ("txid",),
    "NormalFixed": ("target_address", "source_address"),
    "Extended": ("txid", "target_address"),
    "Mixed_11bits": ("txid", "address_extension"),
    "Mixed_29bits": ("target_address", "source_address", "address_extension"),
}
_FOR_RX: Mapping[str, tuple[str, ...]] = {
    "Normal": ("rxid",),
    "NormalFixed": ("target_address", "source_address"),
    "Extended": ("rxid", "source_address"),
    "Mixed_11bits": ("rxid", "address_extension"),
    "Mixed_29bits": ("target_address", "source_address", "address_extension"),
}
_STANDARD = 0x7FF
_HIGHEST = 0x1FFFFFFF


class IsoTpAddress(Options):
    """Who talks to whom (ISO 15765-2, 10.3), in the words of can-isotp."""

    mode: AddressingMode = arg(default="Normal_11bits", help="how addresses are put into frames")
    txid: int | None = arg(
        default=None, help="the identifier of frames that we send", minimum=0, maximum=_HIGHEST
    )
    rxid: int | None = arg(
        default=None, help="the identifier of frames that we receive", minimum=0, maximum=_HIGHEST
    )
    target_address: int | None = arg(
        default=None, help="the address of the other side (N_TA)", minimum=0, maximum=0xFF
    )
    source_address: int | None = arg(default=None, help="our own address (N_SA)", minimum=0, maximum=0xFF)
    address_extension: int | None = arg(
        default=None, help="the address extension (N_AE) of the mixed modes", minimum=0, maximum=0xFF
    )
    physical_id: int | None = arg(
        default=None,
        help="bits 28 to 16 of identifiers to one control unit, where they are not the standard's",
        minimum=0,
        maximum=_HIGHEST,
    )
    functional_id: int | None = arg(
        default=None, help="the same, of identifiers to all of them", minimum=0, maximum=_HIGHEST
    )
    tx_only: bool = arg(default=False, help="it says only how we send; rx_address says how we receive")
    rx_only: bool = arg(default=False, help="it says only how we receive")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what the mode lacks or cannot have."""
        if given["tx_only"] and given["rx_only"]:
            yield Misfit("rx_only", "an address is tx_only or rx_only, not both")
            return
        mode = given["mode"]
        missing = [name for name in _required(given) if given[name] is None]
        if missing:
            yield Misfit("mode", f"addressing mode {mode} needs {' and '.join(missing)}")
        for name in ("txid", "rxid") if mode.endswith("_11bits") else ():
            if given[name] is not None and given[name] > _STANDARD:
                message = f"{name} 0x{given[name]:X} does not fit into 11 bits"
                yield Misfit(name, message, "choose a mode with 29 bits: Normal_29bits …")
        if given["txid"] is not None and given["txid"] == given["rxid"]:
            yield Misfit("rxid", f"txid and rxid are both 0x{given['txid']:X}: we would hear ourselves")


def _required(given: Mapping[str, Any]) -> tuple[str, ...]:
    mode = given["mode"]
    kind = mode if mode.startswith("Mixed") else mode.partition("_")[0]
    sending = () if given["rx_only"] else _FOR_TX[kind]
    receiving = () if given["tx_only"] else _FOR_RX[kind]
    return tuple(dict.fromkeys((*sending, *receiving)))


class IsoTpParams(Options):
    """How messages are cut and paced, in the words of can-isotp."""

    stmin: int = arg(
        default=0,
        help="the time that we ask the sender to leave between frames, as the byte on the bus: "
        "0 to 127 ms, 0xF1 to 0xF9 for 100 to 900 us",
        minimum=0,
        maximum=0xFF,
    )
    blocksize: int = arg(
        default=8, help="frames after which the sender waits for us; 0: never", minimum=0, maximum=0xFF
    )
    tx_data_length: Literal[8, 12, 16, 20, 24, 32, 48, 64] = arg(
        default=8, help="bytes in a frame that we send; more than 8 need can_fd"
    )
    tx_data_min_length: Literal[1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64] | None = arg(
        default=None, help="bytes that a frame of ours has at least, padded"
    )
    override_receiver_stmin: float | None = arg(
        default=None, help="seconds between our frames, whatever the receiver asks for", minimum=0
    )
    rx_flowcontrol_timeout: int = arg(
        default=1000, help="ms that we wait for the receiver's flow control (N_Bs)", minimum=0
    )
    rx_consecutive_frame_timeout: int = arg(
        default=1000, help="ms that we wait for the next frame of a message (N_Cr)", minimum=0
    )
    tx_padding: int | None = arg(
        default=None,
        help="the byte that fills our frames up; left out: they are short",
        minimum=0,
        maximum=0xFF,
    )
    wftmax: int = arg(
        default=0, help="how often in a row the receiver may make us wait; 0: never", minimum=0, maximum=0xFF
    )
    max_frame_size: int = arg(
        default=4095, help="bytes that a message to us may have; longer ones are refused", minimum=0
    )
    can_fd: bool = arg(default=False, help="send CAN FD frames; the bus needs fd: true")
    bitrate_switch: bool = arg(default=False, help="send their data at the data bit rate")
    default_target_address_type: Literal["physical", "functional"] = arg(
        default="physical",
        help="whether messages go to one control unit or to all, where the step does not say",
    )
    rate_limit_enable: bool = arg(default=False, help="limit how fast we send")
    rate_limit_max_bitrate: int = arg(
        default=10_000_000, help="bits per second that we send at most", minimum=1
    )
    rate_limit_window_size: float = arg(
        default=0.2, help="seconds over which that is averaged", minimum=0.001
    )
    listen_mode: bool = arg(default=False, help="only listen: send nothing, no flow control either")
    blocking_send: bool = arg(
        default=True, help="whether isotp_send waits until the message is sent, where the step does not say"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what cannot be together."""
        if given["tx_data_length"] > 8 and not given["can_fd"]:
            yield Misfit("tx_data_length", f"{given['tx_data_length']} bytes in a frame need can_fd: true")
        if (given["tx_data_min_length"] or 0) > given["tx_data_length"]:
            yield Misfit("tx_data_min_length", "it is more than tx_data_length")
        if given["rate_limit_max_bitrate"] * given["rate_limit_window_size"] < given["tx_data_length"] * 8:
            yield Misfit("rate_limit_max_bitrate", "not even one frame can be sent with this rate limit")


def halves(address: IsoTpAddress | None, rx_address: IsoTpAddress | None) -> Iterator[Misfit]:
    """Say why two addresses do not make a whole one."""
    if rx_address is None:
        if address is not None and (address.tx_only or address.rx_only):
            hint = "give the other half as well: address with tx_only, rx_address with rx_only"
            yield Misfit("address", "an address that is tx_only or rx_only is half of one", hint)
    elif address is not None and not (address.tx_only and rx_address.rx_only):
        message = "with rx_address, address has tx_only: true and rx_address has rx_only: true"
        yield Misfit("rx_address", message)


@dataclass(frozen=True)
class IsoTpSettings:
    """How an ISO-TP device works now."""

    address: IsoTpAddress
    rx_address: IsoTpAddress | None
    params: IsoTpParams
    started: bool
    socket: Literal["python", "kernel"]


class IsoTp(Interface):
    """Messages of up to 4 GiB to and from one address on a CAN bus, received all the time."""

    listens = True
    last_sent: int = 0
    """The number of the latest message that a recipe has sent; set by who sends it."""

    @abc.abstractmethod
    def send(
        self,
        data: bytes,
        timeout: Duration,
        context: Context,
        *,
        functional: bool | None = None,
        wait: bool | None = None,
    ) -> int:
        """Send a message, as `DiagnosticLink.send` does."""

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest message in the record, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> Message | None:
        """Wait for a received message, as `DiagnosticLink.next` does."""

    @abc.abstractmethod
    def transmitting(self) -> bool:
        """Tell whether a message is being sent; raise Unsupported when it cannot tell."""

    @abc.abstractmethod
    def start(self) -> None:
        """Begin to listen and to send; do nothing when it has."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Send and receive nothing until it is started again; do nothing when it is stopped."""

    @abc.abstractmethod
    def abort(self, direction: Literal["tx", "rx"]) -> None:
        """Give up the message that is being sent or received, if any; raise Unsupported when it cannot."""

    @abc.abstractmethod
    def configure(
        self, address: IsoTpAddress | None, rx_address: IsoTpAddress | None, params: IsoTpParams | None
    ) -> None:
        """Change what is given; what is being sent or received is given up.

        A new `address` without `rx_address` is used in both directions.
        """

    @abc.abstractmethod
    def settings(self) -> IsoTpSettings:
        """Return how it works now."""

    @abc.abstractmethod
    def troubles(self) -> tuple[str, ...]:
        """Return what went wrong with the latest messages to us: wrong order, missing frames."""
