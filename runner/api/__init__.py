"""What authors of modules and drivers import, and nothing else.

This package and `runner.console` travel to lab hosts: standard library only,
Python 3.10 and newer.
"""

from runner.api.context import Context, Keep, Kept, Level
from runner.api.interfaces import (
    CanBus,
    CanFrame,
    Interface,
    Machine,
    MuxPosition,
    Power,
    PowerReading,
    PowerState,
    Storage,
    StorageMux,
)
from runner.api.module import Driver, Module, Options, Result, arg, child, device
from runner.api.needs import Needs
from runner.api.servers import FileServer, HttpFiles, TftpFiles, Transfer
from runner.api.values import BytePattern, ByteString, Duration, FilePath, Secret, Size, TargetPath
from runner.api.verdicts import (
    Cancelled,
    Failed,
    LabError,
    RecipeFault,
    Skipped,
    TimedOut,
    Unreachable,
    Unsupported,
    Verdict,
)

__all__ = [
    "BytePattern",
    "ByteString",
    "CanBus",
    "CanFrame",
    "Cancelled",
    "Context",
    "Driver",
    "Duration",
    "Failed",
    "FilePath",
    "FileServer",
    "HttpFiles",
    "Interface",
    "Keep",
    "Kept",
    "LabError",
    "Level",
    "Machine",
    "Module",
    "MuxPosition",
    "Needs",
    "Options",
    "Power",
    "PowerReading",
    "PowerState",
    "RecipeFault",
    "Result",
    "Secret",
    "Size",
    "Skipped",
    "Storage",
    "StorageMux",
    "TargetPath",
    "TftpFiles",
    "TimedOut",
    "Transfer",
    "Unreachable",
    "Unsupported",
    "Verdict",
    "arg",
    "child",
    "device",
]
