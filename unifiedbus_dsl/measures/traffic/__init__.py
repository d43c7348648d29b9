"""Traffic: what a pattern is, its call against a machine, and matrices in files."""
