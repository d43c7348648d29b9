"""The bisection: lower bounds and heuristics until they meet."""
