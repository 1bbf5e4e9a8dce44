"""Modules and drivers: relay boards."""
