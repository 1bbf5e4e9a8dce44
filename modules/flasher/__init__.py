"""Modules and drivers: writing media through a small Linux in the board's memory."""
