"""The requests of plugs that many have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.modules.power.http_requests import ReadRequest, Request, Requests, StateRequest


def shelly_gen1(outlet: int | None) -> Requests:
    """Return those of Shelly's first generation (Shelly API reference, "/relay/{index}")."""
    relay, meter = f"/relay/{outlet or 0}", f"/meter/{outlet or 0}"
    return Requests(
        turn_on=Request(path=f"{relay}?turn=on", answers=r'"ison"\s*:\s*true'),
        turn_off=Request(path=f"{relay}?turn=off", answers=r'"ison"\s*:\s*false'),
        tell_state=StateRequest(path=relay, value="ison"),
        tell_reading=ReadRequest(path=meter, power="power", optional=True),
    )


def shelly_gen2(outlet: int | None) -> Requests:
    """Return those of Shelly's generations 2 to 4 (Shelly API reference, "Switch")."""
    number = outlet or 0
    status = f"/rpc/Switch.GetStatus?id={number}"
    return Requests(
        turn_on=Request(path=f"/rpc/Switch.Set?id={number}&on=true", answers='"was_on"'),
        turn_off=Request(path=f"/rpc/Switch.Set?id={number}&on=false", answers='"was_on"'),
        tell_state=StateRequest(path=status, value="output"),
        tell_reading=ReadRequest(
            path=status, voltage="voltage", current="current", power="apower", optional=True
        ),
    )


def tasmota(outlet: int | None) -> Requests:
    """Return those of Tasmota (Tasmota documentation, "Commands", "With Web Requests").

    A plug with one relay calls it POWER, others POWER1 and so on.
    """
    command = f"/cm?cmnd=Power{outlet or ''}"
    key = f'"POWER{outlet}"' if outlet and outlet > 1 else '"POWER1?"'
    energy = "StatusSNS.ENERGY"
    return Requests(
        turn_on=Request(path=f"{command}%20On", answers=rf'{key}\s*:\s*"ON"'),
        turn_off=Request(path=f"{command}%20Off", answers=rf'{key}\s*:\s*"OFF"'),
        tell_state=StateRequest(path=command, pattern=rf'{key}\s*:\s*"(\w+)"'),
        tell_reading=ReadRequest(
            path="/cm?cmnd=Status%2010",
            voltage=f"{energy}.Voltage",
            current=f"{energy}.Current",
            power=f"{energy}.Power",
            optional=True,
        ),
    )


PRESETS: Mapping[str, Callable[[int | None], Requests]] = {
    "shelly_gen1": shelly_gen1,
    "shelly_gen2": shelly_gen2,
    "tasmota": tasmota,
}
