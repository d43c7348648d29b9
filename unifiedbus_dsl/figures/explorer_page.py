"""`unifiedbus_dsl.explorer_page`: the page to explore a machine in from Python: a cell of a notebook, or a file."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.escape import html
from unifiedbus_dsl.figures import solved_views

_FRAME = "width: 100%; height: {height}px; border: 1px solid #c3cad2; border-radius: 8px"


@frozen
class ExplorerPage:
    """A page to explore a machine in. A notebook shows it in a frame of its own, which `height` pixels are for: nothing
    in it meets other cells. `diagnostics` say what is wrong with views and scenarios that are not in it."""

    system: str
    text: str = field(repr=False)
    height: int = 640
    diagnostics: tuple[Diagnostic, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, which needs nothing beside it; return where.

        Args:
            path: the file.
        """
        Path(path).write_bytes(self.text.encode())
        return Path(path)

    def _repr_html_(self) -> str:
        """Return the page as a frame in the page of a notebook."""
        name, style = html.text(f"explore {self.system}"), _FRAME.format(height=self.height)
        return (
            f'<iframe title="{name}" srcdoc="{html.text(self.text)}" sandbox="allow-scripts allow-downloads" '
            f'allow="clipboard-write; fullscreen" style="{style}"></iframe>'
        )


def explorer_page(compilation: Compilation, system: str | None = None, *, height: int = 640) -> ExplorerPage:
    """Return the page to explore a system in, with its views, its traffic and its scenarios.

    Args:
        compilation: a text without errors, as `compile` gives it.
        system: the system by name; default: the first.
        height: pixels of the frame in which a notebook shows it.

    Raises:
        CompilationFailed: the text has errors, or no system.
        UnknownNameError: no system of that name; a `KeyError`.
        NoGraphvizError: there is nothing to draw with.
    """
    name = compilation.pick(system).system
    sink = Sink()
    text = solved_views.explorer_page(compilation, name, sink)
    return ExplorerPage(name, text, height, tuple(sink))
