"""Search the designs of a machine: parameters varied, measures as conditions and objectives, the Pareto front."""
