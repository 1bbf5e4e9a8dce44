"""Modules and drivers: core."""
