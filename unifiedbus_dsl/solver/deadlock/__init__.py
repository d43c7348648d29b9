"""Deadlock on lossless links: dependencies of channels, cycles among them, and the virtual lanes that break these."""
