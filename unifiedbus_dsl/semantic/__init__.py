"""Elaborate: from the model to plans, one for each system.

Arguments are filled in, shapes evaluated, connects lowered to rules. Errors are collected; what they have spoilt stays
quiet.
"""

from unifiedbus_dsl.semantic.systems import Elaborated, elaborate
from unifiedbus_dsl.semantic.types.expectations import ExpectResult
from unifiedbus_dsl.vocabulary.limits import Limits

__all__ = ["Elaborated", "ExpectResult", "Limits", "elaborate"]
