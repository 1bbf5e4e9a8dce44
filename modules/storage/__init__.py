"""Modules and drivers: storage."""
