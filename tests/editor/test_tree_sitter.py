"""The tree-sitter parser is made from the one grammar, and reads each text as the compiler does."""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.editor.classes import Token, by_parser, good_blocks
from tests.support.programs import load_program
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.traversal import walk

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors" / "tree-sitter-ubus"
SPECS = sorted((ROOT / "specs").rglob("*.ubus"))
NODES = {
    "type": tree.TypeDef, "port": tree.PortDecl, "export": tree.PortExport, "instance": tree.Instance,
    "connect_pair": tree.Connect, "connect_pattern": tree.ConnectPattern, "expect": tree.Expect, "field": tree.Field,
    "system": tree.System, "traffic": tree.Traffic, "analyze": tree.Analyze, "scenario": tree.Scenario,
    "view": tree.View, "let": tree.Let, "link": tree.LinkDef, "protocol": tree.ProtocolDef, "place": tree.Place,
    "call": tree.Call, "compare": tree.Compare, "quantity": tree.Quantity, "all": tree.All,
}  # fmt: skip


ALSO = {"quantity_bidir": "quantity", "all_where": "all"}


REBUILT = frozenset(("all",))
"""What the compiler puts together anew above the grammar: `fail all link where …` has its condition inside, as
elsewhere. Only where it begins is compared. (And `8 * m of s` asks `s` first, so sums are not compared.)"""


def said_until(node: Any) -> int:
    """Where the last word of a node ends: a remark behind a statement counts as part of it."""
    return max(each.end_byte for each in nodes(node) if not each.children and each.type != "comment" and each.text)


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return load_program(FOLDER / "build.py")


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The parser, compiled from the files that are there."""
    library = pytest.importorskip("tree_sitter", reason="`.[test]` brings tree-sitter")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here to build the parser with")
    made = tmp_path_factory.mktemp("tree-sitter") / "ubus.so"
    sources = [str(FOLDER / "src" / name) for name in ("parser.c", "scanner.c")]
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{FOLDER / 'src'}"]
    subprocess.run([compiler, *flags, "-o", str(made), *sources], check=True)
    loaded = ctypes.CDLL(str(made))
    loaded.tree_sitter_ubus.restype = ctypes.c_void_p
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    language = library.Language(capsule(loaded.tree_sitter_ubus(), b"tree_sitter.Language", None))
    return library.Parser(language)


def test_files_are_made_from_the_one_grammar(build: ModuleType) -> None:
    for name, text in build.FILES.items():
        assert (FOLDER / name).read_text() == text(), "run `python editors/tree-sitter-ubus/build.py`"


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node.children:
        yield from nodes(child)


def tokens(root: Any) -> Iterator[Token]:
    """The leaves of a tree as tokens with their classes."""
    classes = {
        "comment": "comment", "string": "string", "number": "number", "unit": "unit", "width": "width",
        "identifier": "name", "kind": "keyword",
    }  # fmt: skip
    for node in nodes(root):
        shown = node.text.decode()
        if node.type in classes:
            yield node.start_byte, shown, classes[node.type]
        elif not node.is_named and shown:
            yield node.start_byte, shown, "keyword" if shown.isidentifier() else "sign"


def spans(text: str) -> dict[str, list[tuple[int, int]]]:
    """Where the compiler has statements and expressions, by the names of nodes; in bytes."""
    file = parse(Source("<text>", text), Sink())
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in NODES}
    for statement in file.statements:
        for node in walk(statement):
            for name, kind in NODES.items():
                if type(node) is kind and not (name == "instance" and node.spare):  # type: ignore[attr-defined]
                    start, stop = node.span.start, node.span.end
                    found[name].append((len(text[:start].encode()), len(text[:stop].encode())))
    return {name: sorted(set(each)) for name, each in found.items()}


def compare(parser: Any, text: str) -> None:
    root = parser.parse(text.encode()).root_node
    assert not root.has_error, str(root)
    judged = [(len(text[:start].encode()), shown, kind) for start, shown, kind in by_parser(text) if shown != ";"]
    assert list(tokens(root)) == judged
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in NODES}
    for node in nodes(root):
        name = ALSO.get(node.type, node.type)
        if name in found and node.is_named:
            found[name].append((node.start_byte, said_until(node)))
    expected = spans(text)
    for name, each in found.items():
        if name in REBUILT:
            assert {start for start, _ in each} == {start for start, _ in expected[name]}, name
        else:
            assert sorted(set(each)) == expected[name], name


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_spec(parser: Any, path: Path) -> None:
    compare(parser, path.read_text())


def test_each_good_block_of_the_manual(parser: Any) -> None:
    blocks = good_blocks()
    assert len(blocks) > 100
    for text in blocks:
        compare(parser, text)


def test_wrong_texts(parser: Any) -> None:
    """What can't be read is an error, and what stands before and behind it is read."""
    text = "ubus 1\nnpu Chip { port p : UB x4 }\nrack R {\n  connect npu[0].p --\n  npu[2] : Chip\n}\nsystem s : R\n"
    root = parser.parse(text.encode()).root_node
    assert root.has_error
    assert {"type", "system"} <= {node.type for node in root.children}


def test_unfinished_texts_end(parser: Any) -> None:
    chosen = random.Random(1)
    for _ in range(300):
        text = chosen.choice(SPECS).read_bytes()
        at = chosen.randrange(len(text))
        put = bytes(chosen.choice(b'{}()[];"#\n ax=.-\xff\xc3') for _ in range(chosen.randrange(4)))
        parser.parse(text[:at] + put + text[at + chosen.randrange(40) :])
        parser.parse(text[:at])


def test_highlights(parser: Any) -> None:
    library = pytest.importorskip("tree_sitter", reason="`.[test]` brings tree-sitter")
    query = library.Query(parser.language, (FOLDER / "queries" / "highlights.scm").read_text())
    root = parser.parse(b"ubus 1\nnpu Chip { port npu[7] : UB x4; latency = 2 ns }\n").root_node
    found = library.QueryCursor(query).captures(root)
    shown = {name: {node.text.decode() for node in each} for name, each in found.items()}
    assert shown["keyword"] == {"ubus", "npu", "port"}
    assert {"Chip", "UB"} <= shown["type"]
    assert "npu" in shown["property"], "a keyword that is a name here"
    assert shown["type.builtin"] == {"ns"}
