"""Modules and drivers: uboot."""
