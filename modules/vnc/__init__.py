"""Modules and drivers: VNC."""
