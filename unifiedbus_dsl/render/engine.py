"""Draws DOT text through Graphviz: the only module that runs a process.

The `graphviz` package is the way in. Which program it runs, in order: what the caller names, what the environment
variable `UBUSC_DOT` names, the `graphviz-pure` of this Python environment, `graphviz-pure` and `dot` on the path. PDF
takes the `dot` of Graphviz itself: `graphviz-pure` writes none.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["svg", "png", "pdf"]

ENVIRONMENT = "UBUSC_DOT"


class NoGraphvizError(RuntimeError):
    """No program to draw with."""


class DrawingError(RuntimeError):
    """Graphviz refused to draw: an unknown format, say, or no memory."""


def find_dot(named: str | Path | None = None, format: Format = "svg") -> Path:
    """Return the Graphviz program to use.

    Raises:
        NoGraphvizError: there is none, or the one that was named is not a program.
    """
    wish = named or os.environ.get(ENVIRONMENT)
    if wish:
        dot = shutil.which(wish)
        if dot is None:
            raise NoGraphvizError(f"`{wish}` is not a program that can be run; name the `dot` of Graphviz")
        return Path(dot)
    program = _installed() if format != "pdf" else _graphviz()
    if program is None and format == "pdf":
        raise NoGraphvizError(
            "PDF needs the `dot` of Graphviz itself, and there is none on the path: install Graphviz (Debian: "
            f"`apt install graphviz`), name a `dot` in the environment variable {ENVIRONMENT}, or draw an SVG or a PNG"
        )
    if program is None:
        raise NoGraphvizError(
            "no Graphviz to draw with: run `pip install graphviz-pure`, "
            f"or name a `dot` in the environment variable {ENVIRONMENT}"
        )
    return program


@lru_cache(maxsize=1)
def _installed() -> Path | None:
    beside = Path(sys.executable).parent
    for name, where in (("graphviz-pure", str(beside)), ("graphviz-pure", None), ("dot", None)):
        installed = shutil.which(name, path=where)
        if installed:
            return Path(installed)
    return None


def _graphviz() -> Path | None:
    """Return the `dot` of Graphviz itself."""
    program = shutil.which("dot")
    return Path(program) if program else None


def draw(dot: str, format: Format = "svg", program: str | Path | None = None) -> bytes:
    """Return what Graphviz makes of `dot`, a graph in which every position is given (`neato -n2`): same text, same
    bytes.

    Raises:
        NoGraphvizError: there is no program to draw with.
        DrawingError: the program refuses.
    """
    import graphviz
    from graphviz.backend import dot_command

    before = dot_command.DOT_BINARY
    dot_command.DOT_BINARY = find_dot(program, format)
    try:
        source = graphviz.Source(dot, engine="neato")
        picture: bytes = source.pipe(format=format, neato_no_op=2, quiet=True)
    except graphviz.ExecutableNotFound as error:
        raise NoGraphvizError(str(error)) from error
    except graphviz.CalledProcessError as error:
        raise DrawingError(f"Graphviz could not draw this as {format}: {_last_line(error.stderr)}") from error
    finally:
        dot_command.DOT_BINARY = before
    return picture


def _last_line(stderr: bytes | str | None) -> str:
    text = stderr.decode(errors="replace") if isinstance(stderr, bytes) else stderr or ""
    return text.strip().rpartition("\n")[2] or "it gives no reason"
