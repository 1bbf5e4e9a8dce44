"""A UDS server as a function of bytes and a clock (ISO 14229-1:2020); nothing here waits or sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runner.api.formula import key_of
from runner.api.uds_codes import NEGATIVE, negative_code
from runner.modules.can.ecu_options import EcuDid, EcuFault, EcuMemory, EcuSecurity, EcuUds

_SUPPRESS = 0x80
"""Bit of a sub-function: no positive response is wanted (ISO 14229-1, 8.2.2)."""
_SILENT_TO_ALL = frozenset(
    NEGATIVE[name]
    for name in (
        "serviceNotSupported",
        "subFunctionNotSupported",
        "requestOutOfRange",
        "subFunctionNotSupportedInActiveSession",
        "serviceNotSupportedInActiveSession",
    )
)
"""Codes that are not sent to a functional request (ISO 14229-1, 8.7.1)."""
_WITH_SUBFUNCTION = frozenset({0x10, 0x11, 0x19, 0x27, 0x31, 0x3E})


class Refused(Exception):
    """A request that gets a negative response."""

    def __init__(self, name: str) -> None:
        """Hold the code by its name."""
        super().__init__(name)
        self.code = NEGATIVE[name]


@dataclass
class Reply:
    """What goes back: payloads, each some seconds after the one before; and whether it resets then."""

    payloads: list[tuple[float, bytes]] = field(default_factory=list)
    resets: bool = False


@dataclass
class Transfer:
    """A download or upload under way."""

    download: bool
    offset: int
    left: int
    block: int = 1


class UdsServer:
    """The state of a control unit: session, security, identifiers, trouble codes, memory."""

    def __init__(self, options: EcuUds) -> None:
        """Start in the default session."""
        self._options = options
        self._dids = {did.id: bytearray(did.content()) for did in options.dids}
        self._dtcs = {dtc.code: dtc.status for dtc in options.dtcs}
        self._memory = bytearray(options.memory.size if options.memory else 0)
        self._befallen: dict[int, int] = {}
        self._wrong_keys: dict[int, int] = {}
        self._closed_until: dict[int, float] = {}
        self._heard = 0.0
        self.boot()
        self._services: dict[int, Callable[[bytes, float], bytes]] = {
            0x10: self._session_control,
            0x11: self._reset,
            0x14: self._clear,
            0x19: self._trouble,
            0x22: self._read,
            0x27: self._security_access,
            0x2E: self._write,
            0x31: self._routine,
            0x34: self._begin_download,
            0x35: self._begin_upload,
            0x36: self._transfer_data,
            0x37: self._end_transfer,
            0x3E: self._tester_present,
        }

    def boot(self) -> None:
        """Forget what a reset forgets."""
        self._session = 1
        self._unlocked = 0
        self._seed_for = 0
        self._transfer: Transfer | None = None

    def answer(self, request: bytes, now: float, *, functional: bool = False) -> Reply:
        """Return what goes back to a request that came at `now`, in seconds."""
        if now - self._heard > self._options.session_timeout and self._session != 1:
            self.boot()
        self._heard = now
        fault = self._fault(request)
        if fault is not None and fault.what in {"lost", "wrong", "negative"}:
            return _befallen(fault, request)
        try:
            payload = self._served(request, now)
        except Refused as refused:
            if functional and refused.code in _SILENT_TO_ALL:
                return Reply()
            return _later(fault, request, bytes([0x7F, request[0], refused.code]))
        if request[0] in _WITH_SUBFUNCTION and request[1] & _SUPPRESS:
            return Reply(resets=request[0] == 0x11)
        reply = _later(fault, request, payload)
        reply.resets = request[0] == 0x11
        self._take_time(request, reply)
        return reply

    def _served(self, request: bytes, now: float) -> bytes:
        serve = self._services.get(request[0])
        if serve is None:
            raise Refused("serviceNotSupported")
        if len(request) < 2 and request[0] != 0x37:
            raise Refused("incorrectMessageLengthOrInvalidFormat")
        return bytes([request[0] + 0x40]) + serve(request, now)

    def _session_control(self, request: bytes, _now: float) -> bytes:
        _need(len(request) == 2)
        session = request[1] & ~_SUPPRESS
        if session not in self._options.sessions:
            raise Refused("subFunctionNotSupported")
        self.boot()
        self._session = session
        p2 = round(self._options.p2 * 1000).to_bytes(2, "big")
        p2_star = round(self._options.p2_star * 100).to_bytes(2, "big")  # in steps of 10 ms
        return bytes([session]) + p2 + p2_star

    def _reset(self, request: bytes, _now: float) -> bytes:
        _need(len(request) == 2)
        kind = request[1] & ~_SUPPRESS
        if kind not in {1, 2, 3}:
            raise Refused("subFunctionNotSupported")
        return bytes([kind])

    def _clear(self, request: bytes, _now: float) -> bytes:
        _need(len(request) in {4, 5})
        group = int.from_bytes(request[1:4], "big")
        if group == 0xFFFFFF:
            self._dtcs.clear()
        elif self._dtcs.pop(group, None) is None:
            raise Refused("requestOutOfRange")
        return b""

    def _trouble(self, request: bytes, _now: float) -> bytes:
        kind = request[1] & ~_SUPPRESS
        if kind == 0x0A:
            found = list(self._dtcs.items())
        elif kind in {0x01, 0x02}:
            _need(len(request) == 3)
            found = [(code, status) for code, status in self._dtcs.items() if status & request[2]]
        else:
            raise Refused("subFunctionNotSupported")
        head = bytes([kind, 0xFF])
        if kind == 0x01:
            return head + b"\x01" + len(found).to_bytes(2, "big")
        return head + b"".join(code.to_bytes(3, "big") + bytes([status]) for code, status in found)

    def _read(self, request: bytes, _now: float) -> bytes:
        _need(len(request) % 2 == 1)
        asked = [int.from_bytes(request[at : at + 2], "big") for at in range(1, len(request), 2)]
        known = [did for did in asked if did in self._dids]
        if not known:
            raise Refused("requestOutOfRange")
        return b"".join(did.to_bytes(2, "big") + bytes(self._dids[did]) for did in known)

    def _write(self, request: bytes, _now: float) -> bytes:
        _need(len(request) > 3)
        did = self._did(int.from_bytes(request[1:3], "big"))
        if did is None or not did.writable:
            raise Refused("requestOutOfRange")
        if did.sessions and self._session not in did.sessions:
            raise Refused("conditionsNotCorrect")
        self._need_security(did.security)
        _need(len(request) - 3 == len(self._dids[did.id]))
        self._dids[did.id][:] = request[3:]
        return request[1:3]

    def _security_access(self, request: bytes, now: float) -> bytes:
        number = request[1] & ~_SUPPRESS
        level = number - (number + 1) % 2
        entry = next((each for each in self._options.security if each.level == level), None)
        if entry is None:
            raise Refused("subFunctionNotSupported")
        if self._session == 1:
            raise Refused("subFunctionNotSupportedInActiveSession")
        if now < self._closed_until.get(level, 0.0):
            raise Refused("requiredTimeDelayNotExpired")
        if number == level:
            self._seed_for = level
            given = bytes(len(entry.seed)) if self._unlocked == level else bytes(entry.seed)
            return bytes([number]) + given
        return self._key(entry, request, now)

    def _key(self, entry: EcuSecurity, request: bytes, now: float) -> bytes:
        if self._seed_for != entry.level:
            raise Refused("requestSequenceError")
        self._seed_for = 0
        if request[2:] == key_of(entry.key, bytes(entry.seed), entry.level):
            self._unlocked = entry.level
            self._wrong_keys[entry.level] = 0
            return request[1:2]
        wrong = self._wrong_keys[entry.level] = self._wrong_keys.get(entry.level, 0) + 1
        if wrong < entry.attempts:
            raise Refused("invalidKey")
        self._wrong_keys[entry.level] = 0
        self._closed_until[entry.level] = now + entry.delay
        raise Refused("exceedNumberOfAttempts")

    def _routine(self, request: bytes, _now: float) -> bytes:
        _need(len(request) >= 4)
        kind = request[1] & ~_SUPPRESS
        number = int.from_bytes(request[2:4], "big")
        routine = next((each for each in self._options.routines if each.id == number), None)
        if routine is None:
            raise Refused("requestOutOfRange")
        if kind not in {1, 2, 3}:
            raise Refused("subFunctionNotSupported")
        self._need_security(routine.security)
        return bytes([kind]) + request[2:4] + (bytes(routine.result) if kind != 2 else b"")

    def _take_time(self, request: bytes, reply: Reply) -> None:
        """Say that a routine's answer is pending as long as its start takes."""
        if request[0] != 0x31 or request[1] & ~_SUPPRESS != 1 or not reply.payloads:
            return
        number = int.from_bytes(request[2:4], "big")
        takes = next((each.takes for each in self._options.routines if each.id == number), 0.0)
        if takes:
            reply.payloads = _pending(request, takes, reply.payloads[-1][1])

    def _begin_download(self, request: bytes, _now: float) -> bytes:
        return self._begin(request, download=True)

    def _begin_upload(self, request: bytes, _now: float) -> bytes:
        return self._begin(request, download=False)

    def _begin(self, request: bytes, *, download: bool) -> bytes:
        memory = self._reachable_memory()
        _need(len(request) > 3)
        size_length, address_length = request[2] >> 4, request[2] & 0xF
        _need(len(request) == 3 + size_length + address_length)
        address = int.from_bytes(request[3 : 3 + address_length], "big")
        size = int.from_bytes(request[3 + address_length :], "big")
        offset = address - memory.address
        if size == 0 or offset < 0 or offset + size > memory.size:
            raise Refused("requestOutOfRange")
        self._transfer = Transfer(download, offset, size)
        return b"\x20" + memory.block.to_bytes(2, "big")

    def _reachable_memory(self) -> EcuMemory:
        memory = self._options.memory
        if memory is None:
            raise Refused("serviceNotSupported")
        if memory.sessions and self._session not in memory.sessions:
            raise Refused("serviceNotSupportedInActiveSession")
        self._need_security(memory.security)
        return memory

    def _transfer_data(self, request: bytes, _now: float) -> bytes:
        transfer, memory = self._transfer, self._reachable_memory()
        if transfer is None:
            raise Refused("requestSequenceError")
        if request[1] != transfer.block:
            raise Refused("wrongBlockSequenceCounter")
        data = request[2:] if transfer.download else self._uploaded(transfer, memory)
        if len(request) > memory.block or len(data) > transfer.left:
            raise Refused("transferDataSuspended")
        if transfer.download:
            self._memory[transfer.offset : transfer.offset + len(data)] = data
        transfer.offset += len(data)
        transfer.left -= len(data)
        transfer.block = (transfer.block + 1) % 256
        return request[1:2] + (b"" if transfer.download else data)

    def _uploaded(self, transfer: Transfer, memory: EcuMemory) -> bytes:
        size = min(transfer.left, memory.block - 2)
        return bytes(self._memory[transfer.offset : transfer.offset + size])

    def _end_transfer(self, _request: bytes, _now: float) -> bytes:
        if self._transfer is None or self._transfer.left:
            raise Refused("requestSequenceError")
        self._transfer = None
        return b""

    def _tester_present(self, request: bytes, _now: float) -> bytes:
        if request[1] & ~_SUPPRESS:
            raise Refused("subFunctionNotSupported")
        return b"\x00"

    def _need_security(self, level: int) -> None:
        if level and self._unlocked != level:
            raise Refused("securityAccessDenied")

    def _did(self, number: int) -> EcuDid | None:
        return next((each for each in self._options.dids if each.id == number), None)

    def _fault(self, request: bytes) -> EcuFault | None:
        for index, fault in enumerate(self._options.faults):
            count = self._befallen.get(index, 0)
            begins = request[: len(fault.request.split())]
            if fault.request.matches(begins) and (not fault.times or count < fault.times):
                self._befallen[index] = count + 1
                return fault
        return None


def _need(right: bool) -> None:
    if not right:
        raise Refused("incorrectMessageLengthOrInvalidFormat")


def _befallen(fault: EcuFault, request: bytes) -> Reply:
    if fault.what == "lost":
        return Reply()
    if fault.what == "wrong":
        return Reply([(0.0, bytes(fault.answer))])
    return Reply([(0.0, bytes([0x7F, request[0], negative_code(fault.code)]))])


def _later(fault: EcuFault | None, request: bytes, payload: bytes) -> Reply:
    if fault is None:
        return Reply([(0.0, payload)])
    if fault.what == "late":
        return Reply([(fault.delay, payload)])
    return Reply(_pending(request, fault.delay, payload))


def _pending(request: bytes, seconds: float, payload: bytes) -> list[tuple[float, bytes]]:
    pending = bytes([0x7F, request[0], NEGATIVE["requestCorrectlyReceivedResponsePending"]])
    return [(0.0, pending), (seconds / 2, pending), (seconds / 2, payload)]
