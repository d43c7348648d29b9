"""Answers by orbits of a plan, at the cost of its text: hops, loads, optima."""
