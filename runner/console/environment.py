"""U-Boot's environment variables: read, set, delete."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, RecipeFault
from runner.console import uboot
from runner.console.frame import Nonces
from runner.console.live import Live


def get(live: Live, name: str, nonces: Nonces, context: Context, *, timeout: Duration) -> str | None:
    """Return a variable's value, of several lines if it has them; None when it is not defined."""
    _check_name(name)
    _check_loader(live)
    ran = uboot.run(live, f"printenv {name}", nonces, context, timeout=timeout)
    lead, equals, value = ran.output.partition("=")
    if lead == name and equals:
        return value
    if "not defined" in ran.output or ran.status == 1:
        return None
    raise Failed(
        f"console {live.name!r}: printenv {name} printed something else",
        evidence={"output": ran.output, "status": ran.status},
    )


def put(
    live: Live, name: str, value: str | None, nonces: Nonces, context: Context, *, timeout: Duration
) -> None:
    """Set a variable, or delete it with None; raise Failed when U-Boot refuses."""
    _check_name(name)
    _check_loader(live)
    if value and not live.place.hush and any(char in value for char in "\n;$'"):
        raise RecipeFault(f"{value!r} cannot be typed as it is: this U-Boot has no hush parser to quote for")
    shown = quoted(value) if value and live.place.hush else value
    ran = uboot.run(live, f"setenv {name} {shown or ''}".rstrip(" "), nonces, context, timeout=timeout)
    if ran.status not in (0, None):
        raise Failed(
            f"console {live.name!r}: setenv {name} ended with status {ran.status}: {ran.output[:200]}",
            evidence={"name": name, "value": value, "status": ran.status, "output": ran.output},
        )


def quoted(value: str) -> str:
    r"""Quote a value for U-Boot's hush parser: single quotes, in which only a backslash has a meaning.

    >>> print(quoted("it's $x"))
    'it'\''s $x'
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "'\\''") + "'"


def _check_name(name: str) -> None:
    if not name or name.startswith("-") or any(char.isspace() or char in "='\";$\\" for char in name):
        raise RecipeFault(f"{name!r} cannot be the name of a U-Boot variable")


def _check_loader(live: Live) -> None:
    if live.settings.uboot.loader == "grub":
        raise RecipeFault(
            "variables of GRUB are not supported yet", hint="uboot_cmd: set name=value; echo $name"
        )
