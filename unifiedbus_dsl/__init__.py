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
    from unifiedbus_dsl.analysis.explore.api import explore
    from unifiedbus_dsl.analysis.explore.explorations import Explored
    from unifiedbus_dsl.compiler import Compilation, CompilationFailed, Limits, compile, compile_text
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.figures.explorer_page import explorer_page
    from unifiedbus_dsl.ir.fabric import Fabric
    from unifiedbus_dsl.ir.plan import Plan

__all__ = [
    "Compilation",
    "CompilationFailed",
    "Diagnostic",
    "Explored",
    "Fabric",
    "Limits",
    "Plan",
    "compile",
    "compile_text",
    "explore",
    "explorer_page",
]


def __getattr__(name: str) -> Any:
    if name == "Diagnostic":
        from unifiedbus_dsl.diagnostics import Diagnostic

        return Diagnostic
    if name == "Fabric":
        from unifiedbus_dsl.ir.fabric import Fabric

        return Fabric
    if name == "Plan":
        from unifiedbus_dsl.ir.plan import Plan

        return Plan
    if name == "explore":
        from unifiedbus_dsl.analysis.explore.api import explore

        return explore
    if name == "explorer_page":
        from unifiedbus_dsl.figures.explorer_page import explorer_page

        return explorer_page
    if name == "Explored":
        from unifiedbus_dsl.analysis.explore.explorations import Explored

        return Explored
    if name in __all__:
        from unifiedbus_dsl import compiler

        return getattr(compiler, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
