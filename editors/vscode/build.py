"""Make the VS Code extension: `python editors/vscode/build.py` writes `unifiedbus-dsl.vsix` beside this file.

The TextMate grammar is made from `grammar/ubus.lark` by way of the parse tables, so that what is a keyword, and where,
is said once. `--grammar` writes it anew; a test holds the file against what is made, and its classes against the
parser. Takes nothing but this source tree.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from unifiedbus_dsl.base.source import Source  # noqa: E402 - from this tree, installed or not
from unifiedbus_dsl.base.units import UNITS  # noqa: E402
from unifiedbus_dsl.syntax.continuation import continue_text  # noqa: E402
from unifiedbus_dsl.syntax.parse import states_at_end  # noqa: E402
from unifiedbus_dsl.syntax.tables import load_tables  # noqa: E402
from unifiedbus_dsl.version import VERSION  # noqa: E402

GRAMMAR = HERE / "syntaxes" / "ubus.tmLanguage.json"
PACKAGE = HERE / "unifiedbus-dsl.vsix"
FILES = ("package.json", "extension.js", "client.js", "language-configuration.json", "README.md")
BLOCKS = (
    "ubus 1\n",
    "ubus 1\nnpu T {\n",
    "ubus 1\nanalyze a of b {\n",
    "ubus 1\nscenario a of b {\n",
    "ubus 1\nexplore a of b {\n",
    "ubus 1\nview a of b {\n",
)
"""Texts behind which a statement of each sort begins."""


# ---- the grammar ------------------------------------------------------------------------------------------------


def reserved_words() -> list[str]:
    """Return the words that can't name a thing: those that can't stand behind `let`."""
    engine, states = states_at_end(Source("<text>", "ubus 1\nlet "))
    accepted = set(engine.accepted(states))
    return sorted(word for word, terminal in load_tables()["words"].items() if terminal not in accepted)


def beginning_words() -> list[str]:
    """Return the words that begin a statement somewhere, and those that begin the text."""
    found = {word for text in BLOCKS for word in continue_text(text).keywords}
    return sorted((found | set(continue_text("").keywords)) - set(reserved_words()))


def clause_words() -> list[str]:
    """Return the words that go on with a statement and may name things elsewhere."""
    return sorted(set(load_tables()["words"]) - set(reserved_words()) - set(beginning_words()))


def _any_of(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


def textmate_grammar() -> dict[str, Any]:
    """Return the TextMate grammar: rules that each match within a line, the first of the earliest ones taken."""
    tables = load_tables()
    reserved, beginning, clauses = reserved_words(), beginning_words(), clause_words()
    keywords = _any_of([*tables["words"]])
    below = _any_of([unit for unit in UNITS if unit != "%"])
    number = _plain(tables["patterns"]["NUMBER"])
    unit = rf"%|(?!(?:{keywords})\b)[A-Za-z\u00b5\u03bc][A-Za-z0-9_\u00b5\u03bc]*(?:/(?:{below})\b)?"
    word = r"[ \t]+[A-Za-z_\"(\[0-9-]"
    later = [word for word in clauses if word not in ("any", "cables", "bidir")]
    signs = _any_of([*tables["signs"], ";"])

    def rule(name: str, match: str, **captures: str) -> dict[str, Any]:
        found: dict[str, Any] = {"match": match}
        if name:
            found["name"] = f"{name}.ubus"
        if captures:
            found["captures"] = {
                number.removeprefix("_"): {"name": f"{scope}.ubus"} for number, scope in captures.items()
            }
        return found

    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "ubus",
        "scopeName": "source.ubus",
        "comment": "Made by editors/vscode/build.py --grammar from grammar/ubus.lark: change that.",
        "patterns": [
            rule("comment.line.documentation", r"^[ \t]*##(?!#).*$"),
            rule("comment.line.number-sign", r"#.*$"),
            rule("string.quoted.double", tables["patterns"]["STRING"]),
            rule(
                "",
                rf"(?<![\w.])((?>{number}))[ \t]*({unit})(?:[ \t]+(bidir)\b)?",
                _1="constant.numeric",
                _2="support.type.unit",
                _3="keyword.other",
            ),
            rule("constant.numeric", rf"(?<![\w])(?:{number})"),
            rule("constant.other.width", r"(?<=[\w][ \t])x[0-9]+\b"),
            rule("", rf"(?:^|(?<=[{{;]))[ \t]*({_any_of(beginning)})\b(?={word})", _1="keyword.control"),
            rule("keyword.control", rf"(?<![\w.])(?<![ \t]as[ \t])(?:{_any_of(reserved)})\b(?![ \t]*=(?!=))"),
            rule("keyword.control", rf"(?:(?<=[\w\])\"%][ \t])|^[ \t]*)(?:{_any_of(later)})\b(?=[ \t]+[\w\"(\[-])"),
            rule("keyword.control", r"(?<=fail )any\b|(?<=connect )cables\b(?=[ \t]*\()"),
            rule("variable.other", r"[A-Za-z_][A-Za-z0-9_]*"),
            rule("keyword.operator", signs),
        ],
    }


def _plain(pattern: str) -> str:
    """Return a regular expression of which no group is numbered."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def grammar_text() -> str:
    """Return the grammar file."""
    return json.dumps(textmate_grammar(), indent=2, ensure_ascii=True) + "\n"


# ---- the package ------------------------------------------------------------------------------------------------


def manifest() -> str:
    """Return what VS Code reads first of a package."""
    said = json.loads((HERE / "package.json").read_text())
    about = {name: said[name] for name in ("name", "publisher", "displayName", "description")}
    engine = said["engines"]["vscode"]
    named = {"Id": about["name"], "Version": VERSION, "Publisher": about["publisher"]}
    identity = " ".join(f"{key}={quoteattr(value)}" for key, value in named.items())
    return f"""<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" {identity} />
    <DisplayName>{about["displayName"]}</DisplayName>
    <Description xml:space="preserve">{about["description"]}</Description>
    <Categories>Programming Languages</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={quoteattr(engine)} />
    </Properties>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code" /></Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
  </Assets>
</PackageManifest>
"""


TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json" />
  <Default Extension=".js" ContentType="application/javascript" />
  <Default Extension=".md" ContentType="text/markdown" />
  <Default Extension=".vsixmanifest" ContentType="text/xml" />
</Types>
"""


def contents() -> dict[str, str]:
    """Return the files of the package by name."""
    said = json.loads((HERE / "package.json").read_text())
    found = {"[Content_Types].xml": TYPES, "extension.vsixmanifest": manifest()}
    found |= {f"extension/{name}": (HERE / name).read_text() for name in FILES}
    found["extension/package.json"] = json.dumps({**said, "version": VERSION}, indent=2) + "\n"
    found["extension/syntaxes/ubus.tmLanguage.json"] = grammar_text()
    return found


def build(path: Path) -> None:
    """Write the package; the same source tree gives the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in sorted(contents().items()):
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    if sys.argv[1:] == ["--grammar"]:
        GRAMMAR.write_text(grammar_text())
        print(GRAMMAR)
    else:
        build(Path(sys.argv[1]) if sys.argv[1:] else PACKAGE)
        print(sys.argv[1] if sys.argv[1:] else PACKAGE)
