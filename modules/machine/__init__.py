"""Modules and drivers: machine."""
