"""What `ubusc compile` writes for a system, a function for each sort of file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.cli.output import beside, make_folder, write_bytes
from unifiedbus_dsl.cli.terminal import say
from unifiedbus_dsl.escape.paths import file_name

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation

Writer = Callable[["Compilation", str, Path], Iterator[Path]]


def write_system(compilation: Compilation, system: str, folder: Path) -> list[Path]:
    """Write all files of a system into a folder; their paths.

    Raises:
        OSError: a file can't be written.
    """
    make_folder(folder)
    return [path for write in track(WRITERS, f"write {system}") for path in write(compilation, system, folder)]


def _picture(compilation: Compilation, system: str, folder: Path) -> Iterator[Path]:
    """Yield the system and, to click through, each assembly in it."""
    from unifiedbus_dsl.render.engine import DrawingError, NoGraphvizError
    from unifiedbus_dsl.render.overview import overview_set

    try:
        pictures = overview_set(compilation.pick(system))
    except (DrawingError, NoGraphvizError) as error:
        say(f"no picture of `{system}`: {error}", err=True)
        return
    for name, svg in pictures.items():
        write_bytes(folder / name, svg.encode())
        yield folder / name


def _plan(compilation: Compilation, system: str, folder: Path) -> Iterator[Path]:
    from unifiedbus_dsl.ir.plan.text import plan_text

    path = folder / file_name(system, ".plan.txt")
    write_bytes(path, plan_text(compilation.pick(system)).encode())
    yield path


def _fabric(compilation: Compilation, system: str, folder: Path) -> Iterator[Path]:
    from unifiedbus_dsl.ir.fabric.file import save

    path = folder / file_name(system, ".npz")
    with beside(path) as draft:
        save(compilation.fabric(system), draft)
    yield path


WRITERS: tuple[Writer, ...] = (_picture, _plan, _fabric)
