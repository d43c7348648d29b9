"""The head of a picture: what the machine is called, what kind of part it is, and what its documentation says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from unifiedbus_dsl.render.plan_summary import PlanSummary, split_type, type_called
from unifiedbus_dsl.render.sheet import summary

LONGEST = 60
"""Letters of a name; what is longer is a sentence."""


@frozen
class Head:
    """The title, what stands beside it, and sentences below it."""

    title: str
    kind: str
    notes: Sequence[str]


def head_of(survey: PlanSummary, key: str, kind: str) -> Head:
    """Return the head of a picture of a type: the title of a view, the documentation of the system where that is short,
    the name with which that of the type begins (`Fat tree: …`), or the type itself. Below it stands the rest of the
    documentation, and what the file calls it."""
    plan, doc = survey.plan, summary(survey.plan.assemblies[key].doc)
    own, arguments = split_type(key)
    name, rest = split_name(doc)
    whole = summary(plan.doc) if key == plan.root else ""
    short = whole.rstrip(".") if len(whole) <= LONGEST else split_name(whole)[0]
    title = survey.look.title or short or name
    notes = [*([whole] if whole.rstrip(".") != title else []), rest if title == name else doc]
    if not title:
        return Head(own, f"{arguments} {kind}".strip(), [doc, *_system(survey, key, own)])
    called = type_called(key)
    system = f"system {plan.system}, {called}" if key == plan.root else called
    return Head(title, kind, [note for note in (*notes, system) if note])


def split_name(doc: str) -> tuple[str, str]:
    """`Fat tree of switches with k ports: k^3 / 4 hosts`: the name, and the rest; no name where there is no colon early
    on."""
    name, colon, rest = doc.partition(": ")
    if not colon or len(name) > LONGEST or ". " in name:
        return "", doc
    return name, rest[:1].upper() + rest[1:]


def _system(survey: PlanSummary, key: str, own: str) -> list[str]:
    """Return the name of the system where neither the type nor its kind says it."""
    plan = survey.plan
    same = plan.system.lower() in (plan.assemblies[key].kind, own.lower())
    return [] if key != plan.root or same else [f"system {plan.system}"]
