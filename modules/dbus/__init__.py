"""Modules and drivers: D-Bus."""
