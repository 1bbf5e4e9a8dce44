"""Say which devices a bench has."""

from __future__ import annotations

from runner.api import Context, DeviceInfo, Module, RecipeFault, Result, arg


class Listed(Result):
    """What the inventory says of devices."""

    devices: tuple[DeviceInfo, ...]


class BenchDevices(Module):
    """Say which devices a bench has: driver, host, what they offer, their parts and other names.

    Nothing is opened: a device whose library or hardware is missing is described all the same.

    Example::

        - bench_devices:
          expect: result.devices | length > 0
        - bench_devices: pdu
    """

    runs_on = "controller"
    reads_only = True

    device: str = arg(default="", primary=True, help="one of them, by any of its names; empty: all")

    def run(self, context: Context) -> Listed:
        """Look them up."""
        devices = context.described()
        found = tuple(each for each in devices if not self.device or self.device in _names(each))
        if self.device and not found:
            known = ", ".join(each.name for each in devices) or "none"
            raise RecipeFault(
                f"bench {context.bench!r} has no device {self.device!r}", hint=f"its devices: {known}"
            )
        return Listed(devices=found)


def _names(device: DeviceInfo) -> tuple[str, ...]:
    return (device.name, *(alias.partition(" ")[0] for alias in device.aliases))
