"""The paths that a routing of the language may take, apart from how it shares traffic among them."""

from __future__ import annotations

from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.read_routing import read_definition
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule


def read_paths(call: MeasureCall) -> tuple[str, PathRule]:
    """Return `routing = …` as one writes it, and all paths that it may take.

    Raises:
        RefusedError: it is no routing; a diagnostic says what is wrong.
        NotAdmittedError: the machine does not admit it, or its paths are not known.
    """
    definition, asked = read_definition(call)
    if definition.paths is None:
        raise NotAdmittedError(
            f"`{asked.text}` may take any path, so that which channels depend on each other is not known: name a "
            "routing whose paths are, such as `ecmp`, `minimal` or `dor`"
        )
    return asked.text, definition.paths(asked)
