# ruff: noqa: E501
"""`python -m tests.fuzz --seed S --texts N [--files M] [--about PATTERN] [--keep DIR]`: every command on texts and files that nobody meant.

Shipped specs, faulty texts of the tests and texts written by the grammar are broken by a few mutations each; a command
runs on each in this process. It must end by 0, 1 or 2 within `SECONDS`, with no traceback, and leave no draft behind.
Fabric files and files to import are broken in the same way. What fails is kept in DIR, by seed and number.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.mutate import broken_bytes, broken_text, seeds, written
from unifiedbus_dsl.export import FORMATS as EXPORTS

FORMATS = tuple(sorted(EXPORTS))

SECONDS = 10
MEMORY = 3 << 30
COMMANDS = (
    "check", "check", "check", "check", "compile", "analyze", "render", "render", "export", "export", "fmt", "diff",
    "survey", "explore", "lsp",
)  # fmt: skip
PICTURES: tuple[tuple[str, ...], ...] = (
    (), ("--detail",), ("--floor",), ("--html",), ("--view", "plan"), ("--view", "floor"), ("--traffic", "all2"),
    ("--scenario", "Cut"), ("--scenario", "Cut", "--traffic", "all2"), ("--map", "bandwidth"), ("--map", "cables"),
    ("--plot", "hops"), ("--plot", "allreduce(all npu)"), ("--chart", "ladder"), ("--chart", "family"),
    ("--chart", "scatter(cost(), bisection(all npu))"), ("--format", "dot"),
)  # fmt: skip
ROUTINGS = ("updown", "dor", "ecmp", "valiant", "minimal", "none", "")


def run(arguments: list[str]) -> tuple[object, float, str]:
    """Status, seconds and the last lines of what a command says."""
    from unifiedbus_dsl.cli import main

    out = io.StringIO()
    started = time.monotonic()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status: object = edit(Path(arguments[1])) if arguments[0] == "lsp" else main(arguments)
    except BaseException as error:  # what `main` lets through is a finding too
        status = type(error).__name__
    return status, time.monotonic() - started, out.getvalue()[-2000:]


def edit(path: Path) -> int:
    """Return 0 when an editor is answered all over a text: what it asks of the whole, and at some places along it."""
    from unifiedbus_dsl.editor import navigation
    from unifiedbus_dsl.editor.completion import complete
    from unifiedbus_dsl.editor.hover import hover
    from unifiedbus_dsl.editor.outline import folds, hints, outline
    from unifiedbus_dsl.editor.project import Project
    from unifiedbus_dsl.editor.protocol import Converter

    project = Project((path.parent,))
    document = project.document(path)
    if document is None:
        return 1
    convert, size = Converter("utf-16", {}), len(document.source.text)
    convert.diagnostics(document)
    convert.symbols(outline(document))
    convert.folding(folds(document))
    convert.tokens(document.source, document.mentions.all)
    convert.hints(document.source, hints(document, 0, size))
    for offset in range(0, size, 1 + size // 3):
        hover(document, offset)
        complete(project, document, offset)
        navigation.definitions(document, offset)
        navigation.type_definitions(document, offset)
        navigation.occurrences(document, offset)
        with contextlib.suppress(navigation.RenameError):
            navigation.rename(project, document, offset, "other")
    return 0


def command_for(draw: random.Random, path: Path, folder: Path) -> list[str]:
    """A command with its arguments."""
    name = draw.choice(COMMANDS)
    match name:
        case "compile":
            return [name, str(path), "-o", str(folder / "out")]
        case "analyze":
            return [name, str(path), "--budget", "1"]
        case "render":
            kind = draw.choice(PICTURES)
            suffix = kind[-1] if kind[:1] == ("--format",) else "html" if kind == ("--html",) else "svg"
            return [name, str(path), *kind, "-o", str(folder / f"picture.{suffix}")]
        case "export":
            form = draw.choice(FORMATS)
            routing = ["--routing", draw.choice(ROUTINGS)] if form in ("routes", "lft") else []
            return [name, str(path), "--to", form, *routing, "-o", str(folder / "exported")]
        case "explore":
            return [name, str(path), "--max-designs", "6", "--workers", "1", "--budget", "2"]
        case "fmt":
            return [name, "--check", str(path)]
        case "diff":
            return [name, str(path), str(path)]
        case "survey":
            return [name, str(path), "--of", "switch", "--budget", "1"]
    return [name, str(path)]


def fuzz(seed: int, texts: int, files: int, keep: Path | None, about: str = "") -> Counter[str]:
    """How many ended in which way; what must not be is said and kept."""
    count: Counter[str] = Counter()
    sources = [text for text in seeds() if re.search(about, text, re.MULTILINE)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fabrics = _fabrics(sources, folder) if files else []
        for number in range(texts + files):
            draw = random.Random(f"{seed}/{number}")
            work = folder / "work"
            work.mkdir()
            if number < texts:
                path = work / "text.ubus"
                text = written(draw) if draw.random() < 0.2 else broken_text(draw, draw.choice(sources))
                path.write_bytes(text.encode("utf-8", "surrogatepass"))
                arguments = command_for(draw, path, work)
            else:
                name, data = draw.choice(fabrics)
                path = work / name
                path.write_bytes(broken_bytes(draw, data))
                other = (
                    ["check", str(path)] if path.suffix == ".npz" else ["import", str(path), "-o", str(work / "o.npz")]
                )
                arguments = other
            faulthandler.dump_traceback_later(6 * SECONDS, exit=True)
            status, seconds, said = run(arguments)
            faulthandler.cancel_dump_traceback_later()
            drafts = [each.name for each in work.rglob(".*")]
            wrong = status not in (0, 1, 2) or seconds > SECONDS or "Traceback" in said or bool(drafts)
            count[f"{arguments[0]} {status}" + (" WRONG" if wrong else "")] += 1
            if wrong:
                print(
                    f"{seed}/{number}: {arguments[0]} {status} in {seconds:.1f} s {drafts}: {said[-300:]!r}", flush=True
                )
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, keep / f"{seed}-{number}-{arguments[0]}{path.suffix}")
            shutil.rmtree(work)
    return count


def _fabrics(sources: list[str], folder: Path) -> list[tuple[str, bytes]]:
    """Small machines as fabric files and as files to import."""
    found: list[tuple[str, bytes]] = []
    for number, text in enumerate(sources):
        path = folder / f"m{number}.ubus"
        path.write_text(text)
        if run(["compile", str(path), "-o", str(folder / "made")])[0] != 0:
            continue
        for fabric in sorted((folder / "made").rglob("*.npz")):
            if fabric.stat().st_size < 1 << 16:
                found.append(("f.npz", fabric.read_bytes()))
                for form, suffix in (
                    ("json", ".json"),
                    ("graphml", ".graphml"),
                    ("cables", ".csv"),
                    ("infragraph", ".json"),
                ):
                    out = folder / f"{form}{suffix}"
                    if run(["export", str(fabric), "--to", form, "-o", str(out)])[0] == 0 and out.is_file():
                        found.append((out.name, out.read_bytes()))
            fabric.unlink()
        if len(found) > 60:
            break
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--about", default="", help="begin only with texts in which this pattern is found")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    os.environ.setdefault("COLUMNS", "100")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    count = fuzz(given.seed, given.texts, given.files, given.keep, given.about)
    for way, many in sorted(count.items()):
        print(f"{many:8,} {way}")
    wrong = sum(many for way, many in count.items() if way.endswith("WRONG"))
    print(f"{count.total():,} runs, {wrong:,} that must not be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
