"""Workloads of the text: what `train(…)` and `serve(…)` say, read and held against the machine that they run on."""
