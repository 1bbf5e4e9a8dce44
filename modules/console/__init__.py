"""Modules and drivers: console."""
