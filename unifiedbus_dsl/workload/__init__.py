"""Workloads as numbers: a model, its layout, the schedule of a step, what it keeps and exchanges, estimates and bounds.

Nothing here knows a machine or the language: `measures.workloads` puts it on a fabric, and `train(…)` and `serve(…)` of
the text are read in `semantic.select.workloads`.
"""
