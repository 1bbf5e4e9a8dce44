"""Modules and drivers: GPIO."""
