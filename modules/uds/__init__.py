"""Modules and drivers: uds."""
