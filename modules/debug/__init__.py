"""Modules and drivers: debug probes."""
