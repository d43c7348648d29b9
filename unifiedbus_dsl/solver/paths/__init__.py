"""Shortest paths: distances, enumeration, reachability, tiers."""
