"""Declarative recipes for hardware benches."""

__version__ = "0.1.0"
