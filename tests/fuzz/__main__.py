# ruff: noqa: E501
"""`python -m tests.fuzz --seed S --texts N [--files M] [--keep DIR]`: every command on texts and files that nobody meant.

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
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.mutate import broken_bytes, broken_text, seeds, written

SECONDS = 10
MEMORY = 3 << 30
COMMANDS = ("check", "check", "check", "check", "compile", "analyze", "render", "export", "fmt", "diff", "survey")
FORMATS = ("json", "graphml", "cables", "slurm", "ibnet", "devices", "bom")


def run(arguments: list[str]) -> tuple[object, float, str]:
    """Status, seconds and the last lines of what a command says."""
    from unifiedbus_dsl.cli import main

    out = io.StringIO()
    started = time.monotonic()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status: object = main(arguments)
    except BaseException as error:  # what `main` lets through is a finding too
        status = type(error).__name__
    return status, time.monotonic() - started, out.getvalue()[-2000:]


def command_for(draw: random.Random, path: Path, folder: Path) -> list[str]:
    """A command with its arguments."""
    name = draw.choice(COMMANDS)
    match name:
        case "compile":
            return [name, str(path), "-o", str(folder / "out")]
        case "analyze":
            return [name, str(path), "--budget", "1"]
        case "render":
            return [name, str(path), "-o", str(folder / "picture.svg")]
        case "export":
            return [name, str(path), "--to", draw.choice(FORMATS), "-o", str(folder / "exported")]
        case "fmt":
            return [name, "--check", str(path)]
        case "diff":
            return [name, str(path), str(path)]
        case "survey":
            return [name, str(path), "--of", "switch", "--budget", "1"]
    return [name, str(path)]


def fuzz(seed: int, texts: int, files: int, keep: Path | None) -> Counter[str]:
    """How many ended in which way; what must not be is said and kept."""
    count: Counter[str] = Counter()
    sources = seeds()
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
                for form, suffix in (("json", ".json"), ("graphml", ".graphml"), ("cables", ".csv"), ("ibnet", ".txt")):
                    out = folder / f"e{suffix}"
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
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    os.environ.setdefault("COLUMNS", "100")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    count = fuzz(given.seed, given.texts, given.files, given.keep)
    for way, many in sorted(count.items()):
        print(f"{many:8,} {way}")
    wrong = sum(many for way, many in count.items() if way.endswith("WRONG"))
    print(f"{count.total():,} runs, {wrong:,} that must not be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
