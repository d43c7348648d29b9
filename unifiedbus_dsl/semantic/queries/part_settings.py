"""Values that are set beside the text of parts by their paths: `--set lab.rack.plane.n=64`."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.names.settings import Setting
from unifiedbus_dsl.semantic.queries.set_overrides import plan_with_overrides
from unifiedbus_dsl.semantic.systems import Elaborated
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope


def with_settings(done: Elaborated, model: Model, settings: Sequence[Setting], sink: Sink) -> Elaborated:
    """Return the plans with what was set, beside the text, of parts by their paths; what finds nothing goes to the
    sink."""
    plans = dict(done.plans)
    evaluator = Evaluator(Scope(model.main, lets=done.elaborator.lets), sink)
    for name, plan in done.plans.items():
        lines = [each.line(model) for each in settings if name in each.systems(model)]
        changed = plan_with_overrides(done.elaborator, plan, lines, evaluator) if lines else plan
        plans[name] = plan if changed is None else changed
    return evolve(done, plans=plans)
