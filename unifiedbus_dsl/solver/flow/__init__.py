"""Flows of a demand: maximum concurrent flow, bounds, fair shares."""
