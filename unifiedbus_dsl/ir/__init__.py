"""The machine between passes: the plan (at the size of its text) and the fabric (at its own size)."""
