"""Measures answered by the symmetries of the plan, at the cost of its text."""
