"""Instruments on USB: switches of supplies, switches of cards, test harnesses, hubs."""
