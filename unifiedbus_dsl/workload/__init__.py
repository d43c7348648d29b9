"""Workloads as numbers: a model, how it is laid out over end points, what a step of it computes and keeps."""
