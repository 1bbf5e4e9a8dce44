"""Addresses and parameters as can-isotp wants them (can-isotp documentation, "Addressing", "Parameters")."""

from __future__ import annotations

import dataclasses
from typing import Any

from runner.api import RecipeFault
from runner.api.isotp import IsoTpAddress, IsoTpParams, halves

_KERNEL = frozenset(
    {"tx_padding", "blocksize", "stmin", "wftmax", "can_fd", "tx_data_length", "bitrate_switch"}
)
"""What the kernel's sockets honour (include/uapi/linux/can/isotp.h)."""
_OURS = frozenset({"blocking_send", "default_target_address_type"})
"""What is ours to honour, whoever cuts the messages."""


def library_address(address: IsoTpAddress, rx_address: IsoTpAddress | None) -> Any:
    """Return an address of the library; raise RecipeFault when the two do not make one."""
    import isotp

    for misfit in halves(address, rx_address):
        raise RecipeFault(misfit.message, hint=misfit.hint)
    if rx_address is None:
        return _address(address)
    return isotp.AsymmetricAddress(tx_addr=_address(address), rx_addr=_address(rx_address))


def library_params(params: IsoTpParams) -> dict[str, Any]:
    """Return parameters for the library's own protocol machine; sending is waited for by ourselves."""
    given = {field.name: getattr(params, field.name) for field in dataclasses.fields(params)}
    functional = params.default_target_address_type == "functional"
    return {**given, "default_target_address_type": int(functional), "blocking_send": False}


def not_in_kernel(params: IsoTpParams) -> list[str]:
    """Return the parameters that differ from their defaults and that the kernel's sockets do not honour."""
    plain = IsoTpParams()
    return [
        field.name
        for field in dataclasses.fields(params)
        if field.name not in _KERNEL | _OURS and getattr(params, field.name) != getattr(plain, field.name)
    ]


def spoken(address: IsoTpAddress) -> str:
    """Write an address for a person.

    >>> spoken(IsoTpAddress(txid=0x7E0, rxid=0x7E8))
    '0x7E0 → 0x7E8'
    """
    if address.txid is None and address.rxid is None:
        return f"0x{address.source_address or 0:02X} → 0x{address.target_address or 0:02X}"
    ends = ["any" if each is None else f"0x{each:X}" for each in (address.txid, address.rxid)]
    return " → ".join(ends)


def _address(address: IsoTpAddress) -> Any:
    import isotp

    given = {
        field.name: getattr(address, field.name)
        for field in dataclasses.fields(address)
        if field.name != "mode"
    }
    return isotp.Address(isotp.AddressingMode[address.mode], **given)
