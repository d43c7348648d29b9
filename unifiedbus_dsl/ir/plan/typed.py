"""Whether what was read from a file has the types that the classes of the plan state."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, ForwardRef, Union, get_args, get_origin, get_type_hints

import attrs

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.ir import plan as nodes

LARGEST = 1 << 62
"""No number of a plan is as large."""
_NAMES = {**vars(units), **vars(nodes), "Span": Span, "Mapping": Mapping, "Fraction": Fraction}


def find_type_misfit(value: Any) -> str | None:
    """Return what is wrong with the type of a field of an object of the plan, as a sentence; None where all fit."""
    kind = type(value)
    for name, wanted in _fields(kind).items():  # type: ignore[arg-type]  # a class is hashable
        type_misfit = getattr(value, name)
        if not _is(type_misfit, wanted):
            return f"`{name}` of a {kind.__name__} is no {_text(wanted)}"
    return None


@cache
def _fields(kind: type[Any]) -> dict[str, Any]:
    """Return the types of the fields that a file holds."""
    hints = get_type_hints(kind, _NAMES)
    return {
        field.name: hints[field.name]
        for field in attrs.fields(kind)
        if hints[field.name] != Span | None and field.name != "spoilt"
    }


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str | ForwardRef):
        wanted = eval(wanted if isinstance(wanted, str) else wanted.__forward_arg__, _NAMES)
    origin, args = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        return any(_is(value, each) for each in args)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(args) == 2 and args[1] is Ellipsis:
            return _all_are(value, args[0])
        return len(value) == len(args) and all(map(_is, value, args))
    if origin is not None:
        return isinstance(value, Mapping) and all(isinstance(k, str) and _is(v, args[1]) for k, v in value.items())
    if wanted is int:
        return type(value) is int and -LARGEST < value < LARGEST
    return type(value) is wanted if wanted in (bool, str, NoneType, Fraction) else isinstance(value, wanted)


def _all_are(values: tuple[Any, ...], wanted: Any) -> bool:
    """Return the same for every value; long tables are of whole numbers."""
    if wanted is int:
        return not values or (set(map(type, values)) == {int} and min(values) > -LARGEST and max(values) < LARGEST)
    return all(_is(value, wanted) for value in values)


def _text(wanted: Any) -> str:
    return getattr(wanted, "__name__", str(wanted)).replace("unifiedbus_dsl.ir.plan.", "")
