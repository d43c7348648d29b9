"""The network of a plan by orbits: symmetries proved on the rules, and vertices and cables counted, not listed.

See docs/decisions/from-the-plan.md.
"""
