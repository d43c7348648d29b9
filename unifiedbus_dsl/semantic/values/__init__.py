"""Expressions and their exact values."""
