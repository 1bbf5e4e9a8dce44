"""Inventories: which benches there are, and which of them are meant."""
