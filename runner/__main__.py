"""Run as ``python -m runner``."""

from runner.cli.main import script

script()
