"""Modules and drivers: SNMP."""
