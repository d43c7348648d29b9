"""ubusc: a declarative language and compiler for AI supercomputers.

    import unifiedbus_dsl as ub

    done = ub.compile("superpod.ubus")
    done.diagnostics        # what is wrong, if anything
    done.plan               # the machine at the size of its text
    done.fabric()           # the machine down to each cable, in NumPy columns

Everything is imported when first used, so that `import unifiedbus_dsl` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.fabric import Fabric
    from unifiedbus_dsl.pipeline import Compilation, CompilationFailed, Limits, compile, compile_text
    from unifiedbus_dsl.plan import Plan

__all__ = [
    "Compilation",
    "CompilationFailed",
    "Diagnostic",
    "Fabric",
    "Limits",
    "Plan",
    "compile",
    "compile_text",
]

_HOMES = {
    "Compilation": "unifiedbus_dsl.pipeline",
    "CompilationFailed": "unifiedbus_dsl.pipeline",
    "Diagnostic": "unifiedbus_dsl.diagnostics",
    "Fabric": "unifiedbus_dsl.fabric",
    "Limits": "unifiedbus_dsl.pipeline",
    "Plan": "unifiedbus_dsl.plan",
    "compile": "unifiedbus_dsl.pipeline",
    "compile_text": "unifiedbus_dsl.pipeline",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
