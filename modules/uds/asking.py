"""Asking a control unit: what is expected of an answer, and what is said when it is not that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from runner.api import ByteString, Context, Duration, Failed, RecipeFault
from runner.api.misfit import Misfit
from runner.api.uds import Did, Uds, UdsAnswer
from runner.api.uds_codes import negative_code, negative_name, service_name

NEGATIVE_HELP = (
    "the name or number of the negative response that must come: securityAccessDenied, 0x33; "
    "any other answer fails"
)
WITHIN_HELP = "how long the answer may take; left out: P2 and P2* of the device"


def ask(
    uds: Uds,
    request: bytes,
    context: Context,
    expect_negative: str | int | None = None,
    within: Duration | None = None,
) -> UdsAnswer:
    """Send a request; return the answer when it is positive, or the negative one that is expected.

    Raise Failed for any other negative response, with its name, code and service.
    """
    answer = uds.ask(request, context, timeout=within)
    service = service_name(answer.service)
    evidence: dict[str, object] = {
        "service": service,
        "request": str(ByteString(request[:64])),
        "answer": str(ByteString(answer.data[:64])),
    }
    if answer.code is not None:
        evidence |= {"code": answer.code, "name": negative_name(answer.code)}
    if expect_negative is None:
        if answer.code is not None:
            raise Failed(f"{service}: negative response {negative_name(answer.code)}", evidence=evidence)
        return answer
    wanted = negative_name(_code(expect_negative))
    evidence["expected"] = wanted
    if answer.code is None:
        raise Failed(f"{service}: positive response, expected {wanted}", evidence=evidence)
    if answer.code != _code(expect_negative):
        seen = negative_name(answer.code)
        raise Failed(f"{service}: negative response {seen}, expected {wanted}", evidence=evidence)
    return answer


def code_of(answer: UdsAnswer) -> str:
    """Return the name of a negative response for a result; empty when it is positive."""
    return "" if answer.code is None else negative_name(answer.code)


def negative_misfits(given: Mapping[str, Any]) -> Iterator[Misfit]:
    """Say that a negative response has no such name."""
    if given.get("expect_negative") is None:
        return
    try:
        negative_code(given["expect_negative"])
    except ValueError as error:
        yield Misfit("expect_negative", str(error))


def did_misfits(given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]) -> Iterator[Misfit]:
    """Say that the device knows no identifier of that name."""
    did, known = given.get("did"), devices.get("uds", {}).get("dids")
    if isinstance(did, str) and known is not None and did not in known:
        yield Misfit("did", f"the device has no DID {did!r}", _named(known))
    if isinstance(did, int) and not 0 <= did <= 0xFFFF:
        yield Misfit("did", f"0x{did:X} is no data identifier: they are 0 to 0xFFFF")


def did_of(uds: Uds, did: str | int) -> Did:
    """Return a data identifier by its name, or by its number as the device describes it."""
    if isinstance(did, str):
        if did not in uds.dids:
            raise RecipeFault(f"the device has no DID {did!r}", hint=_named(uds.dids))
        return uds.dids[did]
    known = next((each for each in uds.dids.values() if each.id == did), None)
    return known or Did(id=did)


@contextmanager
def made_by_library(request: str) -> Iterator[None]:
    """Turn the library's words for a request that cannot be into a fault of the recipe."""
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        raise RecipeFault(f"{request}: {error}") from error


@contextmanager
def read_by_library(answer: UdsAnswer) -> Iterator[None]:
    """Turn the library's words for an answer that cannot be into a fault of the board."""
    from udsoncan.exceptions import InvalidResponseException, UnexpectedResponseException

    try:
        yield
    except (InvalidResponseException, UnexpectedResponseException, ValueError) as error:
        raise Failed(
            f"{service_name(answer.service)}: the answer cannot be read: {error}",
            evidence={"answer": str(ByteString(answer.data[:64]))},
        ) from error


def response_of(answer: UdsAnswer) -> Any:
    """Return a positive answer as the library's response."""
    from udsoncan.Response import Response

    return Response.from_payload(bytes([answer.service + 0x40]) + bytes(answer.data))


def echoed(answer: UdsAnswer, expected: bytes) -> bytes:
    """Return what comes after the bytes of the request that an answer repeats; raise Failed for others."""
    repeated = ByteString(answer.data[: len(expected)])
    if repeated != expected:
        raise Failed(
            f"{service_name(answer.service)}: the answer is about [{repeated}], not [{ByteString(expected)}]",
            evidence={"answer": str(ByteString(answer.data[:64]))},
        )
    return bytes(answer.data[len(expected) :])


def _code(name: str | int) -> int:
    try:
        return negative_code(name)
    except ValueError as error:
        raise RecipeFault(str(error)) from error


def _named(known: Mapping[str, object]) -> str:
    return (
        f"its names: {', '.join(known)}"
        if known
        else "write its number, or name it with 'dids' of the device"
    )
