# Runs in the Python of the browser: turns each source below /lib into bytecode, keeps of the library's zip what the
# compiler may need, and writes both as an archive to /tmp/out.
import json
import sys
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc
from pathlib import Path

PACKAGES = {"attr", "attrs", "networkx", "numpy", "scipy"}
ZIP = sys.path[0]


def bytecode(path):
    code = compile(path.read_bytes(), str(path.with_suffix(".pyc")), "exec", dont_inherit=True)
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


main()
