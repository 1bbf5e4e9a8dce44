"""Cameras and frame grabbers, and what a screen shows."""
