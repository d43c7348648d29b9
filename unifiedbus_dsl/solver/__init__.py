"""Measures of a network, a file a family; each takes arrays and gives frozen values."""
