# Runs in the Python of the browser: brings what a page asks for into memory, by asking it of a small machine.
# ruff: noqa: E402
import sys
import zipimport

zipimport._zip_directory_cache.clear()  # Python has started with the whole library, which is another file now
sys.path_importer_cache.clear()
sys.path.insert(0, "/lib")

import importlib
import json
import os
import pkgutil

from unifiedbus_dsl import compiler
from unifiedbus_dsl.cli.playground import Session

os.chdir("/tmp/work")

ROOMS = (
    "analysis",
    "diagnostics",
    "graph",
    "ir",
    "measures",
    "render",
    "semantic",
    "solver",
    "syntax",
    "verify",
    "workload",
)
for room in ROOMS:
    for module in pkgutil.walk_packages([f"/lib/unifiedbus_dsl/{room}"], f"unifiedbus_dsl.{room}."):
        if ".engines" not in module.name:  # processes, of which there are none
            importlib.import_module(module.name)

text = (compiler.spec_folders()[0] / "textbook/ring.ubus").read_text()
events = []
warming = Session(events.append)
for what in ("text", "answers"):
    warming.serve(json.dumps({"what": what, "name": "ring.ubus", "folder": "textbook", "text": text}))
failed = [event["text"] for event in events if event["kind"] == "failed"]
if failed:
    raise RuntimeError(failed[0])
session = Session()
