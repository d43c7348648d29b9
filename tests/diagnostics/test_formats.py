"""Diagnostics as JSON, SARIF and GitHub annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity, github, sarif
from unifiedbus_dsl.diagnostics import json as as_json

TEXT = "ubus 1\nnpu Chip { prot x }\n"
SOURCE = Source("my parts/a b.ubus", TEXT, Path("my parts/a b.ubus"))
WORD = Span(SOURCE, TEXT.index("prot"), TEXT.index("prot") + 4)
FIRST = Span(SOURCE, 0, 6)
FOUND = [
    Diagnostic(
        "UB0101",
        "found `prot`: 100% wrong, really",
        Label(WORD, "here"),
        (Label(FIRST, "edition"), Label(Span(SOURCE, 0, 0))),
        notes=("first\nsecond",),
        help=("write `port`",),
        fix=Fix("write `port`", (Edit(WORD, "port"), Edit(FIRST, "ubus 1"))),
    ),
    Diagnostic("UB9999", "no place", None, severity=Severity.WARNING),
    Diagnostic("UB0102", "over lines", Label(Span(SOURCE, 0, 12)), severity=Severity.NOTE),
]


def test_json() -> None:
    data = json.loads(as_json.render(FOUND))
    assert data["version"] == 1
    assert data["summary"] == {"errors": 1, "warnings": 1, "notes": 1}
    assert [d["code"] for d in data["diagnostics"]] == ["UB9999", "UB0102", "UB0101"]
    error = data["diagnostics"][2]
    assert error["primary"] == {
        "file": "my parts/a b.ubus",
        "start": {"line": 2, "column": 12, "offset": 18},
        "end": {"line": 2, "column": 16, "offset": 22},
        "text": "here",
    }
    assert error["fix"]["edits"][0]["replacement"] == "port"
    assert data["diagnostics"][0]["primary"] is None


def test_github() -> None:
    lines = github.render(FOUND).splitlines()
    assert lines == [
        "::warning title=UB9999::no place",
        "::notice file=my parts/a b.ubus,line=1,endLine=2,title=UB0102::over lines",
        "::error file=my parts/a b.ubus,line=2,endLine=2,col=12,endColumn=15,title=UB0101::"
        "found `prot`: 100%25 wrong, really: here%0Anote: first%0Asecond%0Ahelp: write `port`",
    ]


def test_github_escapes_properties() -> None:
    source = Source("a,b:c%\n.ubus", "x")
    text = github.render([Diagnostic("UB0101", "m", Label(Span(source, 0, 1)))])
    assert text.startswith("::error file=a%2Cb%3Ac%25%0A.ubus,line=1,")


# What SARIF 2.1.0 requires of the objects that are used here: property -> type, required ones marked.
STRING, INTEGER, POSITIVE = "string", "integer", "positive"
SCHEMA: dict[str, dict[str, tuple[bool, Any]]] = {
    "log": {"$schema": (False, STRING), "version": (True, STRING), "runs": (True, ["run"])},
    "run": {"tool": (True, "tool"), "results": (False, ["result"]), "columnKind": (False, STRING)},
    "tool": {"driver": (True, "driver")},
    "driver": {"name": (True, STRING), "semanticVersion": (False, STRING), "rules": (False, ["rule"])},
    "rule": {
        "id": (True, STRING),
        "shortDescription": (False, "multiformat"),
        "fullDescription": (False, "multiformat"),
        "help": (False, "multiformat"),
    },
    "multiformat": {"text": (True, STRING), "markdown": (False, STRING)},
    "result": {
        "ruleId": (False, STRING),
        "ruleIndex": (False, INTEGER),
        "level": (False, STRING),
        "message": (True, "message"),
        "locations": (False, ["location"]),
        "relatedLocations": (False, ["location"]),
        "fixes": (False, ["fix"]),
    },
    "message": {"text": (True, STRING)},
    "location": {
        "id": (False, INTEGER),
        "message": (False, "message"),
        "physicalLocation": (False, "physicalLocation"),
    },
    "physicalLocation": {"artifactLocation": (True, "artifactLocation"), "region": (False, "region")},
    "artifactLocation": {"uri": (True, STRING)},
    "region": {
        "startLine": (True, POSITIVE),
        "startColumn": (True, POSITIVE),
        "endLine": (True, POSITIVE),
        "endColumn": (True, POSITIVE),
    },
    "fix": {"description": (False, "message"), "artifactChanges": (True, ["artifactChange"])},
    "artifactChange": {"artifactLocation": (True, "artifactLocation"), "replacements": (True, ["replacement"])},
    "replacement": {"deletedRegion": (True, "region"), "insertedContent": (False, "message")},
}


def conforms(value: Any, kind: Any) -> bool:
    """Whether a value has all required properties of its kind, no unknown ones, and values of the right types."""
    if isinstance(kind, list):
        return isinstance(value, list) and all(conforms(item, kind[0]) for item in value)
    if kind == STRING:
        return isinstance(value, str)
    if kind in (INTEGER, POSITIVE):
        return isinstance(value, int) and value >= (1 if kind == POSITIVE else 0)
    known = SCHEMA[kind]
    required = all(name in value for name, (must, _) in known.items() if must)
    return required and all(name in known and conforms(item, known[name][1]) for name, item in value.items())


def test_sarif_has_what_the_standard_requires() -> None:
    data = json.loads(sarif.render(FOUND, version="0.1.0"))
    assert conforms(data, "log")
    assert data["version"] == "2.1.0"
    run = data["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["UB0101", "UB0102", "UB9999"]
    assert rules[0]["help"]["markdown"].startswith("# UB0101: ")
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}
    error = run["results"][2]
    place = error["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20parts/a%20b.ubus"}
    assert place["region"] == {"startLine": 2, "startColumn": 12, "endLine": 2, "endColumn": 16}
    assert len(error["fixes"][0]["artifactChanges"][0]["replacements"]) == 2


def test_sarif_uri_of_an_absolute_path(tmp_path: Path) -> None:
    source = Source(str(tmp_path / "a b.ubus"), "x", tmp_path / "a b.ubus")
    data = sarif.to_data([Diagnostic("UB0101", "m", Label(Span(source, 0, 1)))])
    uri = data["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("file:///")
    assert uri.endswith("/a%20b.ubus")


@pytest.mark.parametrize(
    ("value", "kind"),
    [({"text": 1}, "message"), ({}, "message"), ({"text": "a", "other": 1}, "message"), ([{}], ["run"])],
)
def test_the_schema_check_can_fail(value: Any, kind: Any) -> None:
    assert not conforms(value, kind)
