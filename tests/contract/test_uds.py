"""Diagnosis of a control unit: what the driver and the verbs do with right, wrong, late and lost answers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.plain_context import PlainContext

from runner.api import (
    BytePattern,
    ByteString,
    Duration,
    Failed,
    LabError,
    Module,
    RecipeFault,
    Size,
    TimedOut,
)
from runner.api.isotp import IsoTpAddress, IsoTpParams
from runner.api.uds import Did
from runner.modules.can.ecu_options import (
    EcuDid,
    EcuDtc,
    EcuFault,
    EcuMemory,
    EcuRoutine,
    EcuSecurity,
    EcuUds,
)
from runner.modules.can.ecu_sim import EcuSim
from runner.modules.can.isotp import Isotp
from runner.modules.uds.uds import Uds
from runner.modules.uds.uds_dtc import UdsDtc
from runner.modules.uds.uds_read_did import UdsReadDid
from runner.modules.uds.uds_request import UdsRequest
from runner.modules.uds.uds_reset import UdsReset
from runner.modules.uds.uds_routine import UdsRoutine
from runner.modules.uds.uds_security import UdsSecurity
from runner.modules.uds.uds_session import UdsSession
from runner.modules.uds.uds_tester_present import UdsTesterPresent
from runner.modules.uds.uds_transfer import UdsTransfer
from runner.modules.uds.uds_write_did import UdsWriteDid

VIN = "WAUZZZ4G6BN000001"
KEY = "(seed ^ 0x5A5A5A5A) + level"
NAMES = {
    "vin": Did(id=0xF190, codec="ascii", length=17),
    "limit": Did(id=0x0101, codec="uint", length=2, factor=0.5, offset=-10),
    "signed": Did(id=0x0102, codec="int", length=2, byte_order="little"),
    "secret": Did(id=0xF198, length=2),
}
LONG = random.Random(14229).randbytes(6000)


class Car:
    """A simulated control unit, and the way to it; what a verb is given besides is the default."""

    def __init__(self, stack: ExitStack, slow: int = 0, leeway: str = "60s", **options: Any) -> None:
        uds = EcuUds(
            **{
                "dids": [
                    EcuDid(id=0xF190, text=VIN),
                    EcuDid(id=0x0101, data=ByteString("00 C8"), writable=True),
                    EcuDid(id=0x0102, data=ByteString("FE FF"), writable=True),
                    EcuDid(id=0xF198, data=ByteString("00 00"), writable=True, security=1, sessions=[3]),
                ],
                "security": [EcuSecurity(seed=ByteString("36 57 B2 0F"), key=KEY, attempts=2)],
                "dtcs": [EcuDtc(code=0x030100, status=0x2F), EcuDtc(code=0xC07388, status=0x08)],
                "routines": [EcuRoutine(id=0x203, result=ByteString("07"), takes=Duration("50ms"))],
                "memory": EcuMemory(address=0x8000, size=8192, block=4000),
                **options,
            }
        )
        self.ecu = EcuSim(uds=uds, params=IsoTpParams(stmin=slow))
        self.ecu.open()
        stack.callback(self.ecu.close)
        self.link = Isotp(address=IsoTpAddress(txid=0x7E0, rxid=0x7E8), bus=self.ecu)
        self.link.open()
        stack.callback(self.link.close)
        self.uds = Uds(link=self.link, dids=NAMES, leeway=Duration(leeway))
        self.uds.open()
        stack.callback(self.uds.close)
        self.context = PlainContext()

    def do(self, verb: type[Module], **arguments: Any) -> Any:
        return verb(uds=self.uds, **arguments).run(self.context)  # type: ignore[call-arg]

    def unlock(self) -> None:
        self.do(UdsSession, session="extended")
        self.do(UdsSecurity, formula=KEY)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


@pytest.fixture
def car(stack: ExitStack) -> Car:
    return Car(stack)


def fault(request: str, what: Any, **more: Any) -> dict[str, Any]:
    return {"faults": [EcuFault(request=BytePattern(request), what=what, **more)]}


def test_identifiers_are_read_and_written_as_the_device_describes_them(car: Car) -> None:
    assert car.do(UdsReadDid, did="vin").value == VIN
    assert car.do(UdsReadDid, did=0xF190).value == VIN
    assert car.do(UdsReadDid, did="limit").value == 90.0
    assert car.do(UdsReadDid, did="signed").value == -2
    assert car.do(UdsWriteDid, did="limit", value=2.5).data == b"\x00\x19"
    assert car.do(UdsWriteDid, did="signed", value=-300).data == b"\xd4\xfe"
    assert car.do(UdsReadDid, did="signed").value == -300
    with pytest.raises(RecipeFault, match="does not fit into DID 0x0102"):
        car.do(UdsWriteDid, did="signed", value=70000)
    with pytest.raises(RecipeFault, match="takes 2 bytes, not 3"):
        car.do(UdsWriteDid, did="secret", value="01 02 03")
    with pytest.raises(RecipeFault, match="no DID 'vim'"):
        car.do(UdsReadDid, did="vim")


def test_an_unexpected_negative_response_fails_with_its_name_code_and_service(car: Car) -> None:
    with pytest.raises(
        Failed, match=r"ReadDataByIdentifier \(0x22\): negative response requestOutOfRange \(0x31\)"
    ) as raised:
        car.do(UdsReadDid, did=0x1234)
    assert raised.value.evidence["code"] == 0x31


def test_a_negative_response_is_expected_by_name_or_number_and_by_no_other(car: Car) -> None:
    assert (
        car.do(UdsReadDid, did=0x1234, expect_negative="requestOutOfRange").negative
        == "requestOutOfRange (0x31)"
    )
    assert car.do(UdsReadDid, did=0x1234, expect_negative=0x31).negative
    with pytest.raises(Failed, match=r"requestOutOfRange \(0x31\), expected securityAccessDenied \(0x33\)"):
        car.do(UdsReadDid, did=0x1234, expect_negative="securityAccessDenied")
    with pytest.raises(Failed, match="positive response, expected requestOutOfRange"):
        car.do(UdsReadDid, did="vin", expect_negative="requestOutOfRange")
    (misfit,) = UdsReadDid.misfits({"expect_negative": "securityAccesDenied"})
    assert "did you mean 'securityAccessDenied'?" in misfit.message


def test_security_opens_what_is_locked_and_a_session_locks_it_again(car: Car) -> None:
    car.do(UdsWriteDid, did="secret", value="12 34", expect_negative="conditionsNotCorrect")
    car.do(UdsSession, session="extended")
    car.do(UdsWriteDid, did="secret", value="12 34", expect_negative="securityAccessDenied")
    assert car.do(UdsSecurity, formula=KEY).unlocked
    assert car.do(UdsSecurity, formula=KEY).seed == bytes(4)
    car.do(UdsWriteDid, did="secret", value="12 34")
    car.do(UdsSession, session=3)
    car.do(UdsWriteDid, did="secret", value="56 78", expect_negative=0x33)
    assert car.do(UdsReadDid, did="secret").value == b"\x12\x34"


def test_a_key_can_come_from_elsewhere_and_wrong_ones_close_the_level(car: Car) -> None:
    car.do(UdsSession, session="extended")
    car.do(UdsSecurity, key=ByteString("00 00 00 00"), expect_negative="requestSequenceError")
    seed = car.do(UdsSecurity).seed
    assert not car.do(UdsSecurity, key=ByteString(seed), expect_negative="invalidKey").unlocked
    assert not car.do(UdsSecurity, formula="seed", expect_negative="exceedNumberOfAttempts").unlocked
    car.do(UdsSecurity, expect_negative="requiredTimeDelayNotExpired")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"formula": "seed ** 2"}, r"'seed \*\* 2' cannot stand in a formula"),
        ({"formula": "__import__('os')"}, "cannot stand in a formula"),
        ({"formula": "seed +"}, "is no formula"),
        ({"formula": "seed", "key": ByteString("00")}, "not both"),
        ({"level": 2}, "odd number"),
    ],
)
def test_a_formula_that_is_none_is_told_before_the_run(given: dict[str, Any], message: str) -> None:
    (misfit, *_) = UdsSecurity.misfits(given)

    with pytest.raises(ValueError, match=message):
        raise ValueError(misfit.message)


def test_trouble_codes_are_counted_read_and_cleared(car: Car) -> None:
    assert car.do(UdsDtc, action="count").count == 2
    found = car.do(UdsDtc, action="read", status=0x04)
    assert [(each.shown, each.status) for each in found.codes] == [("P0301-00", 0x2F)]
    assert [each.shown for each in car.do(UdsDtc, action="supported").codes] == ["P0301-00", "U0073-88"]
    car.do(UdsDtc, action="clear", group=0x030100)
    car.do(UdsDtc, action="clear", group=0x030100, expect_negative="requestOutOfRange")
    assert car.do(UdsDtc, action="count").count == 1
    car.do(UdsDtc, action="clear")
    assert car.do(UdsDtc, action="read").codes == ()


def test_a_routine_that_takes_its_time_is_waited_for(car: Car) -> None:
    assert car.do(UdsRoutine, routine=0x203).data == b"\x07"
    assert car.do(UdsRoutine, routine=0x203, action="results").data == b"\x07"
    assert car.do(UdsRoutine, routine=0x203, action="stop").data == b""
    car.do(UdsRoutine, routine=0x204, expect_negative="requestOutOfRange")


def test_what_is_downloaded_is_what_is_uploaded(car: Car, tmp_path: Path) -> None:
    image = tmp_path / "app.bin"
    image.write_bytes(LONG)
    car.do(UdsTransfer, file=str(image), address=0x8000, expect_negative="serviceNotSupportedInActiveSession")
    car.do(UdsSession, session="programming")

    done = car.do(UdsTransfer, file=str(image), address=0x8000)
    back = car.do(UdsTransfer, direction="upload", address=0x8000, size=Size(6000))
    few = car.do(UdsTransfer, data=ByteString(LONG[:300]), address=0x9000, block=3)

    assert (done.size, done.blocks) == (6000, 2)
    assert bytes(back.data) == LONG
    assert few.blocks == 300
    car.do(UdsTransfer, data=ByteString(LONG), address=0x9000, expect_negative="requestOutOfRange")


def test_a_long_request_may_take_longer_to_send_than_its_answer_may(stack: ExitStack) -> None:
    car = Car(stack, slow=3, leeway="1s")
    car.do(UdsSession, session="programming")
    began = time.monotonic()

    car.do(UdsTransfer, data=ByteString(LONG[:3990]), address=0x8000)

    assert time.monotonic() - began > 1.2  # 570 frames, 3 ms apart: far more than P2 and the leeway


def test_an_answer_that_is_late_says_which_limit_it_missed(stack: ExitStack) -> None:
    car = Car(stack, leeway="50ms", **fault("22 F1 90", "late", delay=Duration("20s"), times=1))

    with pytest.raises(
        TimedOut, match=r"ReadDataByIdentifier \(0x22\): no answer within P2 50ms and a leeway of 50ms"
    ) as raised:
        car.do(UdsReadDid, did="vin")
    assert raised.value.evidence["limit"] == "P2"


def test_a_late_answer_to_one_request_is_not_taken_for_that_to_the_next(stack: ExitStack) -> None:
    car = Car(stack, leeway="50ms", **fault("22 F1 90", "late", delay=Duration("500ms"), times=1))
    with pytest.raises(TimedOut):
        car.do(UdsReadDid, did="vin")
    assert car.link.next(car.link.last_sent, 60, car.context) is not None

    assert car.do(UdsReadDid, did="limit", within=Duration("60s")).value == 90.0


def test_a_lost_answer_after_pending_ones_missed_p2_star(stack: ExitStack) -> None:
    car = Car(
        stack, p2_star=Duration("100ms"), leeway="1s", **fault("22 F1 90", "pending", delay=Duration("20s"))
    )
    car.do(UdsSession, session="extended", within=Duration("60s"))

    with pytest.raises(TimedOut, match=r"no answer after 1 pending ones within P2\* 100ms"):
        car.do(UdsReadDid, did="vin")


def test_pending_answers_are_waited_through_in_any_number(stack: ExitStack) -> None:
    car = Car(stack, **fault("22 F1 90", "pending", delay=Duration("100ms")))

    assert car.do(UdsReadDid, did="vin").value == VIN


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("62 F1 91 57", r"the answer is about \[F1 91\], not \[F1 90\]"),
        ("6E F1 90", "is no answer to it"),
        ("62 F1 90 57", "DID 0xF190 has 1 bytes, expected 17"),
        ("7F 22", "is no answer to it"),
        ("7F 22 F7", "negative response NRC 0xF7"),
    ],
)
def test_a_wrong_answer_fails_and_is_shown(stack: ExitStack, answer: str, message: str) -> None:
    car = Car(stack, **fault("22 F1 90", "wrong", answer=ByteString(answer)))

    with pytest.raises(Failed, match=message):
        car.do(UdsReadDid, did="vin")


def test_a_negative_answer_can_be_planted_for_some_requests(stack: ExitStack) -> None:
    car = Car(stack, **fault("22", "negative", code="busyRepeatRequest", times=2))

    for _ in range(2):
        car.do(UdsReadDid, did="vin", expect_negative="busyRepeatRequest")
    assert car.do(UdsReadDid, did="vin").value == VIN


def test_a_reset_is_waited_for_and_forgets_the_session(stack: ExitStack) -> None:
    car = Car(stack, boot_time=Duration("200ms"), leeway="1s")
    car.unlock()
    car.do(UdsWriteDid, did="secret", value="AB CD")

    back = car.do(UdsReset, kind="hard").back_after

    assert back < 60
    car.do(UdsSession, session="extended")
    car.do(UdsWriteDid, did="secret", value="00 00", expect_negative="securityAccessDenied")
    assert car.do(UdsReadDid, did="secret").value == b"\xab\xcd"


def test_a_control_unit_that_does_not_come_back_fails(stack: ExitStack) -> None:
    car = Car(stack, boot_time=Duration("60s"), leeway="1s")

    with pytest.raises(TimedOut, match="did not answer again within 10ms after its reset"):
        car.do(UdsReset, back_within=Duration("10ms"))


def test_a_session_ends_by_itself_unless_the_tester_is_present(stack: ExitStack) -> None:
    car = Car(stack, session_timeout=Duration("1s"))
    car.unlock()
    car.do(UdsTesterPresent, state="started", every=Duration("20ms"))
    time.sleep(1.5)
    car.do(UdsWriteDid, did="secret", value="AB CD")
    car.do(UdsTesterPresent, state="stopped")
    time.sleep(1.2)
    car.do(UdsWriteDid, did="secret", value="AB CD", expect_negative="conditionsNotCorrect")


def test_tester_present_that_could_not_go_on_is_told_when_it_is_stopped(car: Car) -> None:
    car.do(UdsTesterPresent, state="started", every=Duration("10ms"))
    car.link.stop()
    wait_until(lambda: "TesterPresent" not in {each.name for each in threading.enumerate()}, "it has ended")

    with pytest.raises(LabError, match="TesterPresent had ended: .* is stopped"):
        car.do(UdsTesterPresent, state="stopped")


def test_requests_of_bytes_get_answers_of_bytes(car: Car) -> None:
    assert car.do(UdsRequest, data=ByteString("22 F1 90")).data == b"\xf1\x90" + VIN.encode()
    car.do(UdsRequest, data=ByteString("28 01 01"), expect_negative="serviceNotSupported")
    with pytest.raises(RecipeFault, match="is no service"):
        car.do(UdsRequest, data=ByteString("01 0C"))


def test_every_control_unit_hears_a_functional_request_and_is_silent_about_what_it_cannot(car: Car) -> None:
    everybody = Isotp(address=IsoTpAddress(txid=0x7DF, rxid=0x7E9), bus=car.ecu)
    everybody.open()
    everybody.send(b"\x22\x12\x34", Duration("60s"), car.context)
    everybody.send(b"\x22\xf1\x90", Duration("60s"), car.context)
    answer = car.link.next(0, 60.0, car.context)
    everybody.close()

    assert answer is not None
    assert answer.data[3:] == VIN.encode()
