"""Workloads on a machine: its part, its end points, what its fabric makes of a step's exchanges."""
