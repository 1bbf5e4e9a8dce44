"""Modules and drivers: can."""
