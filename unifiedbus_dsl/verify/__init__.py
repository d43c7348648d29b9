"""Verifiers of answers: each recomputes what an answer claims from the fabric's own columns, by another way.

Nothing here imports the network, the symmetries or the solver, so a fault there can't hide itself. A verifier takes an
answer's certificate (a partition, a flow, prices) in terms of devices and cables, adds it up anew in one pass, and
raises `VerificationError` where the claim does not hold.
"""

from __future__ import annotations

__all__ = ["VerificationError"]


class VerificationError(RuntimeError):
    """An answer failed its verification: a fault of the compiler, never a number to be shown."""
