"""Routings: what each puts on every arc."""
