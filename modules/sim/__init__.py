"""Modules and drivers: sim."""
