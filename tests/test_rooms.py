"""The rooms of the package and the imports between them, counted in the sources themselves.

What import-linter holds is held here once more without it, with imports in functions and for type checking; and no
module is imported by its name in a string, which no tool would see.
"""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]
PACKAGE = "unifiedbus_dsl"
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
}


def imports_of(module: str) -> set[str]:
    """Return the modules of the package that a module imports anywhere in its text."""
    targets = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            targets |= {
                name if (name := f"{node.module}.{each.name}") in FILES else str(node.module) for each in node.names
            }
        elif isinstance(node, ast.Import):
            targets |= {each.name for each in node.names}
    return {target for target in targets if target in FILES} - {module}


def layers() -> list[str]:
    """Return the rooms in the order of the contract, the upper first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rooms = next(contract for contract in contracts if contract["name"] == "rooms")
    assert rooms["exhaustive"]
    assert not rooms.get("ignore_imports")
    return [room.strip() for layer in rooms["layers"] for room in layer.split("|")]


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_room_is_in_the_contract() -> None:
    rooms = {room_of(module) for module in FILES} - {"", "__main__"}
    assert rooms == set(layers())


def test_no_import_points_back() -> None:
    order = {room: place for place, room in enumerate(layers())}
    back = [
        f"{module} imports {target}"
        for module in FILES
        if room_of(module) in order
        for target in imports_of(module)
        if room_of(target) in order and order[room_of(target)] < order[room_of(module)]
    ]
    assert not back


def test_no_circle_between_modules() -> None:
    """A package may hand on to files of its own, as `Fabric.save` does; else no circle, in functions neither."""
    graph = nx.DiGraph(
        (module, target) for module in FILES for target in imports_of(module) if not target.startswith(f"{module}.")
    )
    assert nx.is_directed_acyclic_graph(graph), nx.find_cycle(graph)


def test_nothing_is_imported_by_a_string() -> None:
    by_string = {"import_module", "__import__", "spec_from_file_location", "run_module", "run_path"}
    found = [
        f"{module}:{node.lineno}"
        for module, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in by_string
    ]
    assert not found


def test_the_order_is_one() -> None:
    assert all(upper != lower for upper, lower in pairwise(layers()))
    assert len(layers()) == len(set(layers()))


def test_modules_named_in_texts_exist() -> None:
    """In programs quoted by tests, in commands of the docs and of the continuous check."""
    roots = ("tests", "docs", ".ci", "scripts", PACKAGE)
    texts = [path for root in roots for path in (ROOT / root).rglob("*") if path.suffix in {".py", ".md", ".toml", ""}]
    pattern = re.compile(rf"(?:\bfrom|\bimport|-m) ((?:tests|{PACKAGE})(?:\.\w+)+)")
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in [*filter(Path.is_file, texts), *ROOT.glob("*.md"), ROOT / "pyproject.toml"]
        for name in pattern.findall(path.read_text(encoding="utf-8", errors="replace"))
    }
    assert len(named) > 500

    def exists(name: str) -> bool:
        path = ROOT / Path(*name.split("."))
        return path.is_dir() or path.with_suffix(".py").exists()

    assert not {(path, name) for path, name in named if not exists(name)}
