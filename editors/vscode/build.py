"""Make the VS Code extension: `python editors/vscode/build.py` writes `unifiedbus-dsl.vsix` beside this file.

The TextMate grammar is made from `grammar/ubus.lark` by way of the parse tables, so that what is a keyword, and where,
is said once. `--grammar` writes it anew; a test holds the file against what is made, and its classes against the
parser. Takes nothing but this source tree.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from unifiedbus_dsl.editor.textmate import grammar_text  # noqa: E402 - from this tree, installed or not
from unifiedbus_dsl.version import VERSION  # noqa: E402

GRAMMAR = HERE / "syntaxes" / "ubus.tmLanguage.json"
PACKAGE = HERE / "unifiedbus-dsl.vsix"
FILES = ("package.json", "extension.js", "client.js", "language-configuration.json", "README.md")


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
