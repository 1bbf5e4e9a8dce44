"""Modules and drivers: servers that boards load files from, and clients of such servers."""
