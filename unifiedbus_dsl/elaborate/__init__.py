"""Elaborate: from the model to plans, one for each system.

Arguments are filled in, shapes evaluated, connects lowered to rules. Errors are collected; what they have spoilt stays
quiet.
"""

from unifiedbus_dsl.elaborate.expect import ExpectResult
from unifiedbus_dsl.elaborate.limits import Limits
from unifiedbus_dsl.elaborate.systems import Elaborated, elaborate

__all__ = ["Elaborated", "ExpectResult", "Limits", "elaborate"]
