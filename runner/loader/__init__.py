"""Loads YAML 1.2 text into nodes with locations; every fault of a file in one pass."""

from runner.loader.read import load, loads, shown_path
from runner.loader.scalars import core_value

__all__ = ["core_value", "load", "loads", "shown_path"]
