"""What authors of modules and drivers import, and nothing else.

This package and `runner.console` travel to lab hosts: standard library only,
Python 3.10 and newer.
"""

from runner.api.address import names_device, read_address
from runner.api.bus_work import BusTask, BusWork
from runner.api.context import Context, Keep, Kept, Level
from runner.api.conversation import Conversation
from runner.api.debug_probe import DebugProbe, ImageFormat, Width
from runner.api.described import Described
from runner.api.device_info import DeviceInfo
from runner.api.diagnostics import DiagnosticLink
from runner.api.display import Display
from runner.api.gpio import GpioLine, LineEvent, LineState
from runner.api.host_commands import HostCommandInfo, HostCommands, Invocation
from runner.api.interfaces import (
    BusState,
    CanBus,
    CanFilter,
    CanFrame,
    Interface,
    Medium,
    MuxPosition,
    Power,
    PowerReading,
    PowerState,
    PowerVerb,
    Programmer,
    Storage,
    StorageMux,
)
from runner.api.isotp import IsoTp
from runner.api.machine import (
    Machine,
    MachineConsole,
    MachineConsoleUrl,
    MachineDisk,
    MachineForward,
    MachineInfo,
    MachineSnapshot,
    MachineState,
)
from runner.api.message_bus import BusSignal, MessageBus
from runner.api.misfit import Misfit
from runner.api.module import Driver, Module, Options, Result, arg, child, device
from runner.api.mqtt import MqttBroker, MqttMessage
from runner.api.needs import Needs
from runner.api.network import Link, Network, NetworkAddress
from runner.api.person import Person
from runner.api.picture import Picture
from runner.api.record import Record
from runner.api.remote_shell import RemoteShell
from runner.api.servers import FileServer, HttpFiles, TftpFiles, Transfer
from runner.api.snmp import ManagedObject, ManagedObjects
from runner.api.stores import Entry, FileStore, Presigned
from runner.api.uds import Uds
from runner.api.values import BytePattern, ByteString, Checksum, Duration, FilePath, Secret, Size, TargetPath
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
from runner.api.video import CameraState, Frame, StreamAddress, Video

__all__ = [
    "BusSignal",
    "BusState",
    "BusTask",
    "BusWork",
    "BytePattern",
    "ByteString",
    "CameraState",
    "CanBus",
    "CanFilter",
    "CanFrame",
    "Cancelled",
    "Checksum",
    "Context",
    "Conversation",
    "DebugProbe",
    "Described",
    "DeviceInfo",
    "DiagnosticLink",
    "Display",
    "Driver",
    "Duration",
    "Entry",
    "Failed",
    "FilePath",
    "FileServer",
    "FileStore",
    "Frame",
    "GpioLine",
    "HostCommandInfo",
    "HostCommands",
    "HttpFiles",
    "ImageFormat",
    "Interface",
    "Invocation",
    "IsoTp",
    "Keep",
    "Kept",
    "LabError",
    "Level",
    "LineEvent",
    "LineState",
    "Link",
    "Machine",
    "MachineConsole",
    "MachineConsoleUrl",
    "MachineDisk",
    "MachineForward",
    "MachineInfo",
    "MachineSnapshot",
    "MachineState",
    "ManagedObject",
    "ManagedObjects",
    "Medium",
    "MessageBus",
    "Misfit",
    "Module",
    "MqttBroker",
    "MqttMessage",
    "MuxPosition",
    "Needs",
    "Network",
    "NetworkAddress",
    "Options",
    "Person",
    "Picture",
    "Power",
    "PowerReading",
    "PowerState",
    "PowerVerb",
    "Presigned",
    "Programmer",
    "RecipeFault",
    "Record",
    "RemoteShell",
    "Result",
    "Secret",
    "Size",
    "Skipped",
    "Storage",
    "StorageMux",
    "StreamAddress",
    "TargetPath",
    "TftpFiles",
    "TimedOut",
    "Transfer",
    "Uds",
    "Unreachable",
    "Unsupported",
    "Verdict",
    "Video",
    "Width",
    "arg",
    "child",
    "device",
    "names_device",
    "read_address",
]
