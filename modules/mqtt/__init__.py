"""Modules and drivers: MQTT."""
