"""ISO-TP cut and paced by the kernel (Linux, include/uapi/linux/can/isotp.h; can-isotp, "isotp.socket")."""

from __future__ import annotations

import socket
import threading
from typing import Any

from runner.api import LabError, Unreachable, Unsupported
from runner.api.diagnostics import MessageRecord
from runner.api.isotp import IsoTpParams

_LOOK = 0.1
"""Seconds after which the receiver looks whether it should end."""
_BRS = 0x01
"""CANFD_BRS of linux/can.h."""


def kernel_can() -> bool:
    """Tell whether this kernel has ISO-TP sockets."""
    try:
        socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_ISOTP).close()
    except (OSError, AttributeError):
        return False
    return True


class KernelStack:
    """One ISO-TP socket, received from all the time; safe to use from many threads."""

    def __init__(self, channel: str, address: Any, params: IsoTpParams, record: MessageRecord) -> None:
        """Take the name of a network interface and an address of the library; nothing is opened yet."""
        self._channel = channel
        self._address = address
        self._params = params
        self._record = record
        self._ending = threading.Event()

    def start(self) -> None:
        """Open the socket; raise Unsupported or Unreachable when the kernel has none."""
        import isotp

        try:
            self._socket = isotp.socket(timeout=_LOOK)
            self._set_options(self._socket)
            self._socket.bind(self._channel, self._address)
        except NotImplementedError as error:
            raise Unsupported(f"no ISO-TP sockets here: {error}") from error
        except (OSError, ValueError) as error:
            hint = "'modprobe can-isotp' loads them; socket: python does without"
            raise Unreachable(
                f"cannot open an ISO-TP socket on {self._channel}: {error}", hint=hint
            ) from error
        # a socket of its own to send on: the receiver's time limit is not the sender's
        self._sender = self._socket.real_socket().dup()
        self._receiver = threading.Thread(target=self._receive, name=f"ISO-TP {self._channel}", daemon=True)
        self._receiver.start()

    def stop(self) -> None:
        """Close the socket."""
        self._ending.set()
        self._receiver.join()
        self._sender.close()
        self._socket.close()

    def send(self, data: bytes, timeout: float) -> None:
        """Send a message and return when its last frame is with the bus; raise OSError when it is not."""
        self._sender.settimeout(timeout)
        self._sender.send(data)

    def _set_options(self, opened: Any) -> None:
        params = self._params
        flags = opened.flags.WAIT_TX_DONE
        if params.tx_padding is not None:
            opened.set_opts(optflag=flags | opened.flags.TX_PADDING, txpad=params.tx_padding)
        else:
            opened.set_opts(optflag=flags)
        opened.set_fc_opts(bs=params.blocksize, stmin=params.stmin, wftmax=params.wftmax)
        if params.can_fd:
            tx_flags = _BRS if params.bitrate_switch else 0
            opened.set_ll_opts(
                mtu=opened.LinkLayerProtocol.CAN_FD, tx_dl=params.tx_data_length, tx_flags=tx_flags
            )

    def _receive(self) -> None:
        while not self._ending.is_set():
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError as error:
                self._record.fail(
                    LabError(f"cannot receive from the ISO-TP socket on {self._channel}: {error}")
                )
                return
            self._record.add(data)
