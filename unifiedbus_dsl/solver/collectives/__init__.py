"""Collective operations: schedules, step times, bounds that no schedule beats."""
