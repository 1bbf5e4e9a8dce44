"""Plays a plan: the only room with side effects."""
