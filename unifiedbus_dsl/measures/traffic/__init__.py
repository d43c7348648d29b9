"""Traffic: patterns, matrices, routings by their words."""
