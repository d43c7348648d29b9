"""Surveys of single outages and of random ones, and where they are solved."""
