"""Nothing that a file says is an order in any language that is exported to: each export of a machine whose every text
is hostile is read by a parser of its language, and has the structure of the same machine with tame names."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.escape.hostile import PAYLOADS, fabric_of, machine, subject_of, tame
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export import FORMATS, CannotExportError, find, write_subject
from unifiedbus_dsl.importer import read
from unifiedbus_dsl.importer.listing import Cable, Device, Listing
from unifiedbus_dsl.importer.reconstruct import reconstruct
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.text import plan_text
from unifiedbus_dsl.render.explorer import explorer
from unifiedbus_dsl.render.overview import overview_set

BINARY = ("parquet", ".et")
"""No texts; a trace of Chakra has no name of the machine in it."""

HOSTILE = pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload)[1:25])


def met(payloads: Sequence[str]) -> pytest.MarkDecorator:
    """Each format but Parquet with each payload. Of a format every fourth payload is in the fast tests, of a payload
    every fourth format; the others are marked slow."""
    forms = [form for form in FORMATS if form != "parquet"]
    return pytest.mark.parametrize(
        ("form", "payload"),
        [
            pytest.param(
                form, payload, marks=[pytest.mark.slow] if (i + j) % 4 else [], id=f"{ascii(payload)[1:25]}-{form}"
            )
            for i, form in enumerate(forms)
            for j, payload in enumerate(payloads)
        ],
    )


def exported(plan: Plan, form: str, folder: Path) -> dict[str, str]:
    """The files of an export as text, by name; the name of a single file is its suffix. Empty where it is refused."""
    path = folder / "export"
    made = find(form)
    if made.is_folder:
        path.mkdir(parents=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        write_subject(subject_of(plan), made, path, Sink())
    except CannotExportError:
        return {}
    files = sorted(path.iterdir()) if made.is_folder else [path]
    names = [re.sub(r"topology-.*\.json", "topology.json", f.name) if made.is_folder else made.file for f in files]
    return {name: f.read_bytes().decode() for name, f in zip(names, files, strict=True) if not name.endswith(BINARY)}


# ---- the structure of a text in its language: what is left where its texts are taken out --------------------------


def of_json(text: str) -> Any:
    return _shape(json.loads(text))


def of_yaml(text: str) -> Any:
    return [_shape(document) for document in yaml.safe_load_all(text)]


def _shape(value: Any) -> Any:
    """Sorts of the values; keys that are names of the machine count, the others are kept."""
    if isinstance(value, dict):
        known = [
            key for key in value if isinstance(key, str) and re.fullmatch(r"[a-z_A-Z]{0,20}", key) and key[:1] != "Z"
        ]
        inner = sorted((repr(_shape(each)) for key, each in value.items() if key not in known))
        return {key: _shape(value[key]) for key in sorted(set(known) - {"doc"})}, inner
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return type(value).__name__


def of_xml(text: str) -> Any:
    root = ElementTree.fromstring(text.replace('<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">', ""))
    return Counter((each.tag, tuple(sorted(each.attrib))) for each in root.iter())


def of_csv(text: str) -> Any:
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        for cell in row:
            assert not re.match(r"[=+\-@\t\r\n\uff1d]", cell) or re.fullmatch(r"-?[\d.]+", cell), cell
    return [len(row) for row in rows]


def of_shell(text: str) -> Any:
    assert subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False).returncode == 0
    lines = [shlex.split(line, comments=True) for line in text.split("\n")]
    assert {word for line in lines for word in line if re.search("[;&|`$()<>]", word)} == set()
    return [(line[:4], len(line)) for line in lines]


def of_python(text: str) -> Any:
    parsed = ast.parse(text)
    for each in ast.walk(parsed):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            each.value = ""
    return ast.dump(parsed)


def of_slurm(text: str) -> Any:
    return [[word.partition("=")[0] for word in line.split(" ")] for line in text.split("\n")]


def of_lines(text: str) -> Any:
    """Of a language of lines in which a text stands in double quotes or is a plain word; the ends of a line of a
    diagram may be either way round."""
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"|[\w-]*\w[\w-]*', "w", text)
    return Counter(" -- ".join(sorted(re.split(" -- |(?=: w$)", line))) for line in bare.split("\n"))


def of_pdf(text: str) -> Any:
    """The objects by their keys, and the operators on pages; labels are broken into lines as their texts need it."""
    assert text.isascii()
    bare = re.sub(r"<[0-9a-f]*>", "<>", text)
    pages = re.findall(r"stream\n(.*?)\nendstream", bare, re.DOTALL)
    lines = {re.sub(r"[\d.]+", "0", line) for page in pages for line in page.split("\n")}
    shown = r"(/[RBA] 0 Tf <> Tj ?)+"
    assert all(re.fullmatch(rf"(BT 0 0 Td {shown} ET)?", line) for line in lines)
    return sorted(re.sub(r"stream.*", "", each, flags=re.DOTALL).count("/") for each in bare.split("endobj"))


def of_usd(text: str) -> Any:
    """The text without its strings, each of which is of one line."""
    return re.sub(r'"(?:[^"\\\n]|\\["\\])*"', '""', text)


PARSERS: dict[str, Callable[[str], Any]] = {
    ".json": of_json, ".cyjs": of_json, ".yaml": of_yaml, ".yml": of_yaml, ".xml": of_xml, ".graphml": of_xml,
    ".drawio": of_xml, ".csv": of_csv, ".sh": of_shell, ".py": of_python, ".conf": of_slurm,
    ".pdf": of_pdf, ".usda": of_usd, ".mmd": of_lines, ".d2": of_lines, "": of_lines,
}  # fmt: skip


def structure(files: dict[str, str]) -> Any:
    """Return the kinds of files and what their parsers find; a file may be called after a device, in plain letters."""
    assert all(re.fullmatch(r"\w[\w.-]*", name, re.ASCII) for name in files)
    kinds = {name: Path(f"x.{name}").suffix for name in files}
    return sorted(((kinds[name], PARSERS.get(kinds[name], of_lines)(text)) for name, text in files.items()), key=repr)


@cache
def tame_structure(form: str, folder: Path) -> Any:
    return structure(exported(tame(), form, folder))


@met(PAYLOADS)
def test_an_export_has_no_more_in_it_than_with_tame_names(
    form: str, payload: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = exported(machine(payload), form, tmp_path)
    if files:
        same = tame_structure(form, tmp_path_factory.getbasetemp() / f"tame-{form}")
        assert structure(files) == same
        for name, text in files.items():
            if not name.endswith("csv"):  # which keeps every text to the letter
                assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text), "a terminal that shows it obeys"


@cache
def found(payload: str) -> Plan:
    """A network of another tool whose devices, ports and hosts have this in their names."""
    nics = [Device(f"{payload} h{n} a", "nic", id=f"{payload} {n}", host=f"{payload} h{n}") for n in range(4)]
    leaves = [Device(f"{payload} leaf {n}", "switch") for n in range(2)]
    spine = Device(f"{payload} spine", "switch")
    down = [Cable((nic.name, f"{payload} 1"), (leaves[n // 2].name, f"{payload} p{n}")) for n, nic in enumerate(nics)]
    up = [Cable((leaf.name, f"{payload} up"), (spine.name, f"{payload} {leaf.name}")) for leaf in leaves]
    return reconstruct(Table.of(Listing(payload, (*nics, *leaves, spine), (*down, *up)))).plan


@met([payload for payload in PAYLOADS[::3] if len(payload) < 200])
def test_a_found_network_has_no_more_in_it_than_one_with_tame_names(form: str, payload: str, tmp_path: Path) -> None:
    files = exported(found(payload), form, tmp_path / "hostile")
    if files:
        assert structure(files) == structure(exported(found("tame"), form, tmp_path / "tame"))


def test_every_format_is_compared() -> None:
    """At least all of these take the machine, so that the comparison above is one."""
    taken = {form for form in FORMATS if form != "parquet" and subject_takes(form)}
    assert taken >= {"json", "graphml", "cables", "bom", "netbox", "mermaid", "d2", "kueue", "volcano", "topograph"}
    assert taken >= {"slurm-tree", "slurm-block", "slurm-yaml", "sst", "simgrid", "ns3", "booksim", "hccl"}


def subject_takes(form: str) -> bool:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return bool(exported(tame(), form, Path(folder) / "x"))


# ---- round trips ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "graphml"])
@HOSTILE
def test_names_survive_a_round_trip_to_the_letter(form: str, payload: str, tmp_path: Path) -> None:
    plan = machine(payload)
    fabric = fabric_of(plan)
    path = tmp_path / f"machine.{form}"
    write_subject(subject_of(plan), find(form), path, Sink())
    back = read(path).listing()
    assert back.name == plan.system
    assert [d.name for d in back.devices] == fabric.device_names(range(fabric.device_count)).tolist()
    types = list(plan.devices.values())
    assert [d.type for d in back.devices] == [types[t].key for t in fabric.device_type.tolist()]
    assert {c.link for c in back.cables} == set(plan.links)
    assert {c.medium for c in back.cables} == {link.fields["medium"] for link in plan.links.values()}
    ports = {end[1].partition("[")[0] for c in back.cables for end in (c.a, c.b)}
    assert ports == {port.name.partition("[")[0] for of in types for port in of.ports}
    assert back.types is not None
    assert back.types.devices == plan.devices


# ---- pictures and pages -----------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Elements with the names of their attributes, and the texts of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Any] = Counter()
        self.scripts: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag, tuple(sorted(name for name, _ in attrs))] += 1
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def inert(svg: str) -> set[str]:
    """The names of elements and attributes of a picture, after seeing that nothing in it acts."""
    root = ElementTree.fromstring(svg)
    for each in root.iter():
        for name, value in each.attrib.items():
            plain = name.rpartition("}")[2].lower()
            assert not plain.startswith("on")
            if plain == "href":
                assert re.fullmatch(r"[A-Za-z0-9_.~%-]+\.svg|#\w+", value), value
    return {each.tag for each in root.iter()} | {name for each in root.iter() for name in each.attrib}


@cache
def tame_page() -> Counter[Any]:
    tags = Tags()
    tags.feed(explorer(tame()))
    return tags.seen


@HOSTILE
def test_pictures_and_the_page_to_explore_have_no_more_in_them(payload: str) -> None:
    plan = machine(payload)
    sorts = {"stroke-dasharray"}.union(*map(inert, overview_set(tame()).values()))
    pictures = overview_set(plan)
    assert len(pictures) == len(plan.assemblies)
    for name, svg in pictures.items():
        assert inert(svg) <= sorts
        assert Path(name).name == name
    page = explorer(plan)
    tags = Tags()
    tags.feed(page)
    assert tags.seen == tame_page()
    data = json.loads(tags.scripts[0])
    assert data["system"] == plan.system
    assert len(tags.scripts) == 2
    digest = base64.b64encode(hashlib.sha256(tags.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page, "a browser runs this script and no other"
    for each in data["pictures"]:
        assert inert(each["svg"]) <= sorts


@HOSTILE
def test_the_plan_as_text_does_nothing_to_a_terminal(payload: str) -> None:
    text = plan_text(machine(payload))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert len(text.split("\n")) == len(plan_text(tame()).split("\n"))


def test_a_shell_is_there() -> None:
    assert shutil.which("bash")
