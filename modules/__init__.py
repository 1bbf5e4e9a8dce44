"""Every module and driver that comes with runner."""
