"""Virtual devices of Corellium: REST for power and life, WebSockets for consoles."""
