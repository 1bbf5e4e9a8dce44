"""Modules and drivers: the board over SSH."""
