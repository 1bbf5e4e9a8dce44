"""The driver `corellium` at the emulated API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from support.corellium import TOKEN, Corellium
from support.plain_context import PlainContext

from runner.api import Duration, Secret
from runner.console import Console
from runner.modules.corellium.corellium import Corellium as Driver
from runner.modules.machine.vm import Vm, VmSwitched

LIMIT = Duration("60s")
Driven = Callable[..., Driver]
"""Opens a driver with these options and those that every test has."""


@contextmanager
def driving(api: Corellium) -> Iterator[Driven]:
    """Give what opens drivers, and close them."""
    with ExitStack() as stack:

        def made(**options: Any) -> Driver:
            given = {
                "api": api.url,
                "token": Secret(TOKEN),
                "name": "nightly",
                "model": "imx8mp-evk",
                "os": "1.1.1",
                "console_name": "Primary Compute Non-Secure",
                "poll_interval": Duration("1ms"),
                "patience": LIMIT,
            }
            driver = Driver(**{**given, **options})
            driver.open()
            stack.callback(driver.close)
            return driver

        yield made


def become(driver: Driver, state: Any, *consoles: Console, **more: Any) -> VmSwitched:
    """Switch it with the verb `vm`."""
    return Vm(state=state, vm=driver, consoles=consoles, **more).run(PlainContext())
