"""Which definition each name stands for."""
