# Runs in the Python of the browser: turns each source below /lib into bytecode, keeps of the library's zip what the
# compiler may need, and writes both as an archive to /tmp/out.
import ast
import json
import sys
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc
from pathlib import Path

PACKAGES = {"attr", "attrs", "networkx", "numpy", "scipy"}
ZIP = sys.path[0]
OWN = "/lib/unifiedbus_dsl/"
METHODS = ("argmax", "argmin", "argsort", "astype", "cumprod", "cumsum", "nonzero", "prod", "repeat", "searchsorted",
           "sum", "trace")  # fmt: skip


class Of64Bits(ast.NodeTransformer):
    """Lets a module count in 64 bits: see numpy64.py."""

    def visit_Import(self, node):
        for each in node.names:
            if each.name == "numpy":
                each.name = "numpy64"
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        called = node.func
        if (
            isinstance(called, ast.Attribute)
            and called.attr in METHODS
            and not (isinstance(called.value, ast.Name) and called.value.id == "np")
        ):
            table = ast.Attribute(ast.Name("_numpy64", ast.Load()), "METHODS", ast.Load())
            node.func = ast.Subscript(table, ast.Constant(called.attr), ast.Load())
            node.args.insert(0, called.value)
        return node


def of_64_bits(tree):
    tree = Of64Bits().visit(tree)
    first = next((i for i, node in enumerate(tree.body) if not _leads(node)), len(tree.body))
    tree.body.insert(first, ast.Import([ast.alias("numpy64", "_numpy64")]))
    return ast.fix_missing_locations(tree)


def _leads(node):
    """Whether a statement must stand before all others: the words about a module, and what it takes of the future."""
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return future or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def bytecode(path):
    tree = ast.parse(path.read_bytes())
    if str(path).startswith(OWN):
        tree = of_64_bits(tree)
    code = compile(tree, str(path.with_suffix(".pyc")), "exec", dont_inherit=True)
    return bytes(_code_to_timestamp_pyc(code))


def library():
    kept = PACKAGES | set(sys.stdlib_module_names)
    with zipfile.ZipFile(ZIP) as whole, zipfile.ZipFile("/tmp/library.zip", "w") as part:
        for each in whole.infolist():
            top = each.filename.partition("/")[0].removesuffix(".pyc")
            if top in kept or top.startswith("_"):
                part.writestr(zipfile.ZipInfo(each.filename), whole.read(each))
    return Path("/tmp/library.zip").read_bytes()


def main():
    files = {ZIP: library()}
    for path in sorted(Path("/lib").rglob("*")):
        if path.suffix == ".py":
            files[str(path.with_suffix(".pyc"))] = bytecode(path)
        elif path.is_file():
            files[str(path)] = path.read_bytes()
    head = json.dumps([(path, len(data)) for path, data in files.items()]).encode()
    with open("/tmp/out", "wb") as out:
        out.write(len(head).to_bytes(4, "little") + head)
        out.writelines(files.values())


if sys.platform == "wasi":
    main()
