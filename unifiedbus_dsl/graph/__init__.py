"""The network that the solver sees, and its symmetries."""
