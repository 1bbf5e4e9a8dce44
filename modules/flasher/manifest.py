"""What a flasher bundle says: which kernel to load where, how to start it, what it can write to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from runner.api import RecipeFault

_KIND = "FlashBundleManifest"
_KNOWN = frozenset(
    (
        *("manufacturer", "link", "bootcmd", "shelltype", "login", "default_target", "targets"),
        *("kernel", "initram", "dtb", "preflash_commands"),
    )
)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A file of the bundle, and where U-Boot loads it: digits, or ${…} of its environment."""

    file: str
    address: str


@dataclasses.dataclass(frozen=True)
class Variant:
    """A device tree, and the command that starts the kernel with it; empty for the usual one."""

    file: str
    bootcmd: str = ""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest, read and judged."""

    name: str
    bootcmd: str
    kernel: Loaded
    initram: Loaded | None
    dtb_address: str
    dtb_default: str
    variants: Mapping[str, Variant]
    targets: Mapping[str, str]
    default_target: str
    user: str
    password: str
    preflash: tuple[str, ...]
    unknown: tuple[str, ...]
    """Keys of ``spec`` that mean nothing to us."""


def read_manifest(document: object, shown: str) -> Manifest:
    """Judge a parsed manifest; raise RecipeFault, with the place in it, for what is wrong or missing."""
    top = _mapping(document, shown, "")
    if top.get("kind") != _KIND:
        raise RecipeFault(f"{shown}: kind is {top.get('kind')!r}, expected {_KIND!r}")
    spec = _mapping(top.get("spec"), shown, "spec")
    login = _mapping(spec.get("login") or {}, shown, "spec.login")
    dtb = _mapping(spec.get("dtb") or {}, shown, "spec.dtb")
    return Manifest(
        name=str(_mapping(top.get("metadata") or {}, shown, "metadata").get("name", "")),
        bootcmd=_text(spec, "bootcmd", shown, "spec"),
        kernel=_loaded(spec, "kernel", shown),
        initram=_loaded(spec, "initram", shown) if spec.get("initram") else None,
        dtb_address=_address(dtb.get("address", "")),
        dtb_default=str(dtb.get("default") or ""),
        variants=_variants(_mapping(dtb.get("variants") or {}, shown, "spec.dtb.variants")),
        targets={
            str(name): str(path)
            for name, path in _mapping(spec.get("targets") or {}, shown, "spec.targets").items()
        },
        default_target=str(spec.get("default_target") or ""),
        user=str(login.get("username") or ""),
        password=str(login.get("password") or ""),
        preflash=tuple(map(str, spec.get("preflash_commands") or ())),
        unknown=tuple(sorted(str(key) for key in spec.keys() - _KNOWN)),
    )


def variant_of(manifest: Manifest, wanted: str) -> Variant | None:
    """Return the device tree that is wanted, the default one for nothing; None when there is none.

    Raise RecipeFault for a name that the bundle does not have.
    """
    name = wanted or manifest.dtb_default
    if not name:
        return None
    if name in manifest.variants:
        return manifest.variants[name]
    if not wanted:
        return Variant(file=name)
    have = ", ".join(manifest.variants) or "none"
    raise RecipeFault(f"the bundle has no device tree {wanted!r}", hint=f"it has {have}")


def _loaded(spec: Mapping[str, Any], key: str, shown: str) -> Loaded:
    place = f"spec.{key}"
    found = _mapping(spec.get(key), shown, place)
    _text(found, "address", shown, place)
    return Loaded(file=str(found.get("file") or ""), address=_address(found["address"]))


def _variants(written: Mapping[str, Any]) -> dict[str, Variant]:
    return {
        str(name): Variant(str(each.get("file") or ""), str(each.get("bootcmd") or ""))
        if isinstance(each, Mapping)
        else Variant(str(each))
        for name, each in written.items()
    }


def _address(written: object) -> str:
    """Return an address as U-Boot reads it: YAML has made a number of 0x82000000.

    >>> _address(0x82000000), _address("${kernel_addr_r}")
    ('82000000', '${kernel_addr_r}')
    """
    return f"{written:x}" if isinstance(written, int) else str(written).removeprefix("0x")


def _mapping(value: object, shown: str, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        where = f": {place}" if place else ""
        raise RecipeFault(f"{shown}{where} is no mapping")
    return value


def _text(within: Mapping[str, Any], key: str, shown: str, place: str) -> str:
    value = within.get(key)
    if value is None or value == "":
        raise RecipeFault(f"{shown}: {place}.{key} is missing")
    return str(value)
