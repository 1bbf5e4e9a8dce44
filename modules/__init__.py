"""Every built-in module and driver."""
