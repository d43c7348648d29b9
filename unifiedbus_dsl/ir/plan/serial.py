"""A plan as JSON and back, equal (source positions are left out: the text they point to is not there).

An object of the plan is `{"": class, field: value, …}`, a fraction `{"/": "3/8"}`; tuples are lists. Fields that have
their default are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir import plan as nodes
from unifiedbus_dsl.ir.plan.typed import find_type_misfit

_CLASSES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        nodes.AssemblyType,
        nodes.Axis,
        nodes.Child,
        nodes.Const,
        nodes.DeviceType,
        nodes.Export,
        nodes.Labels,
        nodes.Link,
        nodes.Lookup,
        nodes.Not,
        nodes.Op,
        nodes.Opening,
        nodes.Placement,
        nodes.Plan,
        nodes.Port,
        nodes.PortRef,
        nodes.Protocol,
        nodes.Rule,
        nodes.Site,
        nodes.Var,
        Quantity,
    )
}


def dump(plan: nodes.Plan) -> bytes:
    """UTF-8 JSON, the same bytes for equal plans."""
    return json.dumps(_encode(plan), ensure_ascii=False, separators=(",", ":")).encode()


def load(data: bytes) -> nodes.Plan:
    """Return the plan that was dumped.

    Raises:
        ValueError: this is none.
    """
    try:
        plan = _decode(
            json.loads(data.decode(), object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)
        )
    except (KeyError, TypeError, AttributeError, RecursionError, ZeroDivisionError) as error:
        raise ValueError(f"no plan: {type(error).__name__}: {str(error)[:200]}") from error
    if not isinstance(plan, nodes.Plan):
        raise ValueError("no plan: the outermost object is another")
    return plan


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Fraction):
        return {"/": str(value)}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    fields = [f for f in attrs.fields(type(value)) if _is_kept(f, getattr(value, f.name))]
    return {"": type(value).__name__, **{f.name: _encode(getattr(value, f.name)) for f in fields}}


def _is_kept(field: attrs.Attribute[Any], value: Any) -> bool:
    """Return what compares equal is kept, and the documentation; positions and remains of errors are not."""
    if field.eq is False and field.name != "doc":
        return False
    default: Any = field.default
    return bool(default is attrs.NOTHING or value != getattr(default, "factory", lambda: default)())


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {"/"}:
        return _fraction(value["/"])
    name = value.get("")
    if name is None:
        return {key: _decode(item) for key, item in value.items()}
    made = _CLASSES[name](**{key: _decode(item) for key, item in value.items() if key})
    wrong = find_type_misfit(made)
    if wrong is not None:
        raise ValueError(f"no plan: {wrong}")
    return made


_FRACTION = re.compile(r"-?\d{1,1300}(?:/\d{1,1300})?")
_RANGE = 1000
"""Powers of two, up or down, between which every number lies."""


def _fraction(text: Any) -> Fraction:
    """Return a fraction of a size that can be worked with."""
    if not isinstance(text, str) or not _FRACTION.fullmatch(text, 0, 2700) or not text.isascii():
        raise ValueError(f"no plan: `{str(text)[:40]}` is no fraction")
    value = Fraction(text)
    size = value.numerator.bit_length() - value.denominator.bit_length()
    if value and abs(size) > _RANGE:
        raise ValueError(f"no plan: the fraction `{text[:40]}…` is out of range")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, in which each key stands once."""
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("no plan: a key stands twice in an object")
    return entries


def _no_number(text: str) -> Any:
    raise ValueError(f"no plan: `{text[:40]}` is no whole number")
