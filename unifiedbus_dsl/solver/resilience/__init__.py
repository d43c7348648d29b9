"""Contingencies: outages, their impact, quantiles, oversubscription."""
