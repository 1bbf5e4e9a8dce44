"""The ciphers that pysnmp needs, where the library cryptography is older than pysnmp expects."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_OLD = "cryptography.hazmat.primitives.ciphers"
_NEW = "cryptography.hazmat.decrepit.ciphers"
"""Where newer versions have DES and CFB, and where alone pysnmp 7.1.30 looks for them."""


def available() -> bool:
    """Tell whether the library works here; call it before pysnmp is imported, which looks for it once.

    Debian 12 has version 38, with the same classes in the old place: pysnmp is led there. What of
    another version has come along with the run, without its compiled part, is left alone.
    """
    try:
        ciphers = importlib.import_module(_OLD)
    except ImportError:
        return False
    folder = Path(str(ciphers.__file__)).parents[3]
    absent = [part for part in ("", ".algorithms", ".modes") if not _is_in(folder, _NEW + part)]
    sys.modules.update({_NEW + part: importlib.import_module(_OLD + part) for part in absent})
    return True


def _is_in(folder: Path, module: str) -> bool:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and Path(str(spec.origin)).is_relative_to(folder)
