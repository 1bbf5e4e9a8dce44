"""Every test of inventories has a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.shelf import Lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.chdir(tmp_path)
    return Lab(tmp_path)
