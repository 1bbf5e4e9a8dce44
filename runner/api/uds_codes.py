"""Services and negative response codes of UDS by their names (ISO 14229-1, table 23 and annex A)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

NEGATIVE: Mapping[str, int] = MappingProxyType(
    {
        "generalReject": 0x10,
        "serviceNotSupported": 0x11,
        "subFunctionNotSupported": 0x12,
        "incorrectMessageLengthOrInvalidFormat": 0x13,
        "responseTooLong": 0x14,
        "busyRepeatRequest": 0x21,
        "conditionsNotCorrect": 0x22,
        "requestSequenceError": 0x24,
        "noResponseFromSubnetComponent": 0x25,
        "failurePreventsExecutionOfRequestedAction": 0x26,
        "requestOutOfRange": 0x31,
        "securityAccessDenied": 0x33,
        "authenticationRequired": 0x34,
        "invalidKey": 0x35,
        "exceedNumberOfAttempts": 0x36,
        "requiredTimeDelayNotExpired": 0x37,
        "secureDataTransmissionRequired": 0x38,
        "secureDataTransmissionNotAllowed": 0x39,
        "secureDataVerificationFailed": 0x3A,
        "uploadDownloadNotAccepted": 0x70,
        "transferDataSuspended": 0x71,
        "generalProgrammingFailure": 0x72,
        "wrongBlockSequenceCounter": 0x73,
        "requestCorrectlyReceivedResponsePending": 0x78,
        "subFunctionNotSupportedInActiveSession": 0x7E,
        "serviceNotSupportedInActiveSession": 0x7F,
        "rpmTooHigh": 0x81,
        "rpmTooLow": 0x82,
        "engineIsRunning": 0x83,
        "engineIsNotRunning": 0x84,
        "engineRunTimeTooLow": 0x85,
        "temperatureTooHigh": 0x86,
        "temperatureTooLow": 0x87,
        "vehicleSpeedTooHigh": 0x88,
        "vehicleSpeedTooLow": 0x89,
        "throttlePedalTooHigh": 0x8A,
        "throttlePedalTooLow": 0x8B,
        "transmissionRangeNotInNeutral": 0x8C,
        "transmissionRangeNotInGear": 0x8D,
        "brakeSwitchNotClosed": 0x8F,
        "shifterLeverNotInPark": 0x90,
        "torqueConverterClutchLocked": 0x91,
        "voltageTooHigh": 0x92,
        "voltageTooLow": 0x93,
        "resourceTemporarilyNotAvailable": 0x94,
    }
)
SERVICES: Mapping[int, str] = MappingProxyType(
    {
        0x10: "DiagnosticSessionControl",
        0x11: "ECUReset",
        0x14: "ClearDiagnosticInformation",
        0x19: "ReadDTCInformation",
        0x22: "ReadDataByIdentifier",
        0x23: "ReadMemoryByAddress",
        0x24: "ReadScalingDataByIdentifier",
        0x27: "SecurityAccess",
        0x28: "CommunicationControl",
        0x29: "Authentication",
        0x2A: "ReadDataByPeriodicIdentifier",
        0x2C: "DynamicallyDefineDataIdentifier",
        0x2E: "WriteDataByIdentifier",
        0x2F: "InputOutputControlByIdentifier",
        0x31: "RoutineControl",
        0x34: "RequestDownload",
        0x35: "RequestUpload",
        0x36: "TransferData",
        0x37: "RequestTransferExit",
        0x38: "RequestFileTransfer",
        0x3D: "WriteMemoryByAddress",
        0x3E: "TesterPresent",
        0x83: "AccessTimingParameter",
        0x84: "SecuredDataTransmission",
        0x85: "ControlDTCSetting",
        0x86: "ResponseOnEvent",
        0x87: "LinkControl",
    }
)


def negative_code(name: str | int) -> int:
    """Return the code of a negative response; raise ValueError for a name that there is not.

    >>> hex(negative_code("securityAccessDenied"))
    '0x33'
    """
    if isinstance(name, int):
        if not 0 < name <= 0xFF:
            raise ValueError(f"0x{name:X} is no negative response code: they are 0x01 to 0xFF")
        return name
    by_word = {each.lower(): code for each, code in NEGATIVE.items()}
    if name.lower() not in by_word:
        near = difflib.get_close_matches(name.lower(), by_word, 1)
        meant = next((each for each in NEGATIVE if near and each.lower() == near[0]), "")
        raise ValueError(
            f"no negative response is called {name!r}" + (f": did you mean {meant!r}?" if meant else "")
        )
    return by_word[name.lower()]


def negative_name(code: int) -> str:
    """Return the name of a negative response code, with the code.

    >>> negative_name(0x33), negative_name(0xF0)
    ('securityAccessDenied (0x33)', 'NRC 0xF0')
    """
    known = next((name for name, each in NEGATIVE.items() if each == code), "")
    return f"{known} (0x{code:02X})" if known else f"NRC 0x{code:02X}"


def service_name(sid: int) -> str:
    """Return the name of a service, with its identifier.

    >>> service_name(0x22)
    'ReadDataByIdentifier (0x22)'
    """
    return f"{SERVICES[sid]} (0x{sid:02X})" if sid in SERVICES else f"service 0x{sid:02X}"
