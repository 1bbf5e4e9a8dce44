"""Modules and drivers: power."""
