"""A relay at a GPIO line, as a rig of the contract: a kernel that is made for it, with moods."""

from __future__ import annotations

import errno

import pytest
from support.gpio_kernel import GET_VALUES, SET_VALUES, FakeKernel, FakeLine
from support.power_rigs.rig import Opener, Rig

from runner.modules.gpio.gpio_power import GpioPower


def gpio(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    line = FakeLine("RELAY", level=1)
    kernel = FakeKernel(gpiochip0=[line])
    request.addfinalizer(kernel.close)
    driver = GpioPower(chip="gpiochip0", line="RELAY", active_low=True)
    driver.kernel = kernel
    opened(driver)

    def stick() -> None:
        line.held = line.level

    def vanish() -> None:
        kernel.fails.update({SET_VALUES: errno.ENODEV, GET_VALUES: errno.ENODEV})

    return Rig(
        power=driver,
        named="line 0 (RELAY) of /dev/gpiochip0",
        stick=stick,
        refuse=lambda: kernel.fails.update({SET_VALUES: errno.EIO}),
        vanish=vanish,
    )
