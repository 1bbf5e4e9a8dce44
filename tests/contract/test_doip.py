"""Diagnosis over DoIP: a gateway that answers, refuses, says nothing and hangs up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.doip_gateway import ECU, Gateway
from support.plain_context import PlainContext

from runner.api import ByteString, Cancelled, Duration, LabError, Size, Unreachable
from runner.modules.can.ecu_options import EcuDid, EcuMemory, EcuUds
from runner.modules.uds.doip import Doip
from runner.modules.uds.uds import Uds
from runner.modules.uds.uds_read_did import UdsReadDid
from runner.modules.uds.uds_reset import UdsReset
from runner.modules.uds.uds_tester_present import UdsTesterPresent
from runner.modules.uds.uds_transfer import UdsTransfer

LIMIT = Duration("60s")
OPTIONS = EcuUds(
    dids=[EcuDid(id=0xF190, text="WAUZZZ4G6BN000001")], memory=EcuMemory(address=0, sessions=[], block=4000)
)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def gateway(stack: ExitStack, **how: Any) -> Gateway:
    made = Gateway(OPTIONS, **how)
    stack.callback(made.close)
    return made


def connected(stack: ExitStack, to: Gateway, **options: Any) -> Doip:
    link = Doip(address="localhost", port=to.port, logical_address=ECU, **options)
    link.open()
    stack.callback(link.close)
    return link


def control_unit(stack: ExitStack, link: Doip) -> Uds:
    uds = Uds(link=link, leeway=LIMIT)
    uds.open()
    stack.callback(uds.close)
    return uds


def test_a_control_unit_is_diagnosed_through_its_gateway(stack: ExitStack) -> None:
    uds, context = control_unit(stack, connected(stack, gateway(stack))), PlainContext()
    data = ByteString(random.Random(13400).randbytes(20000))

    assert UdsReadDid(did=0xF190, uds=uds).run(context).data == b"WAUZZZ4G6BN000001"
    assert UdsReadDid(did=1, expect_negative="requestOutOfRange", uds=uds).run(context).negative
    UdsTransfer(data=data, address=0, uds=uds).run(context)
    back = UdsTransfer(direction="upload", address=0, size=Size(20000), uds=uds).run(context)
    assert back.data == data


def test_a_connection_that_was_closed_is_made_anew_for_the_next_request(stack: ExitStack) -> None:
    there = gateway(stack)
    link, context = connected(stack, there), PlainContext()
    uds = control_unit(stack, link)
    UdsReadDid(did=0xF190, uds=uds).run(context)
    there.hang_up()

    with pytest.raises(Unreachable, match="it has closed the connection"):
        link.next(link.latest(), LIMIT, context)
    assert UdsReadDid(did=0xF190, uds=uds).run(context).data
    UdsReset(uds=uds).run(context)


def test_an_alive_check_is_answered(stack: ExitStack) -> None:
    there = gateway(stack)
    connected(stack, there)
    there.check_alive()

    limit = time.monotonic() + LIMIT
    while not there.alive and time.monotonic() < limit:
        time.sleep(0.01)
    assert there.alive == [b"\x0e\x00"]


def test_every_control_unit_has_an_address_or_nobody_is_told(stack: ExitStack) -> None:
    there = gateway(stack)
    context = PlainContext()
    everybody = control_unit(stack, connected(stack, there, functional_address=0xE400))
    UdsTesterPresent(state="started", functional=True, every=Duration("1h"), uds=everybody).run(context)
    UdsTesterPresent(state="stopped", uds=everybody).run(context)
    assert there.asked == [0xE400]

    there.hang_up()
    with pytest.raises(LabError, match="no address of all control units"):
        connected(stack, there).send(b"\x3e\x80", LIMIT, context, functional=True)


def test_what_goes_wrong_is_told_in_words(stack: ExitStack) -> None:
    refusing = gateway(stack, code=0x02)
    with pytest.raises(LabError, match="refuses us: routing activation ends with 0x02"):
        connected(stack, refusing)
    silent = gateway(stack, silent=True)
    with pytest.raises(Unreachable, match="did not answer within 200ms"):
        connected(stack, silent, connect_timeout=Duration("200ms"))
    gone = Gateway(OPTIONS)
    gone.close()
    with pytest.raises(Unreachable, match="cannot connect to DoIP gateway localhost"):
        connected(stack, gone)
    with pytest.raises(Unreachable, match="cannot connect to DoIP gateway nosuch.invalid"):
        Doip(address="nosuch.invalid", logical_address=ECU).open()
    there = gateway(stack)
    link, context = connected(stack, there), PlainContext()
    there.refuse = 0x06
    with pytest.raises(LabError, match=r"did not take a message for 0x00E0: TargetUnreachable \(0x06\)"):
        link.send(b"\x3e\x00", LIMIT, context)


def test_a_gateway_that_does_not_acknowledge_is_the_labs_fault_and_a_cancel_ends_the_wait(
    stack: ExitStack,
) -> None:
    there = gateway(stack, silent=True)
    link, context = connected(stack, there, activation=None), PlainContext()

    with pytest.raises(LabError, match="did not acknowledge a message within 100ms"):
        link.send(b"\x3e\x00", Duration("100ms"), context)
    threading.Timer(0.1, context.cancel).start()
    with pytest.raises(Cancelled):
        link.send(b"\x3e\x00", LIMIT, context)
