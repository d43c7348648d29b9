"""Texts, fabric files and files to import that nobody meant: what `ubusc` makes of them."""
