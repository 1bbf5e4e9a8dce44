"""Ports and addresses."""
