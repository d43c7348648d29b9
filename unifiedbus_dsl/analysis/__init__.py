"""Queries answered: the measures, surveys, reports."""
