"""Each picture of a text whose titles, documentation, fields and names of the site are hostile has no more in it than
with tame ones, and so has each export: whatever `render` and `export` know how to write."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.escape.test_exports import Tags, exported, inert, of_lines, structure
from tests.fuzz.__main__ import PICTURES
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.export import FORMATS
from unifiedbus_dsl.ir.plan import Plan

TEXT = (Path(__file__).parents[1] / "fuzz" / "every-statement.ubus").read_text()
HOSTILE = (
    'x\\", URL=<javascript:alert(1)>, tooltip=<y>]; //', "</script><script>alert(1)</script>",
    "</title><svg onload=alert(1)>", "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "=cmd|' /C calc'!A1",
    "$(touch pwned)`touch pwned`; touch pwned #", "a: b - c ? [d]: {e", "${vars.secret} {shape: class}",
    "$\\undefined{1$ $", "{}", "\u202egnp.exe\u2066", "../../victim/precious",
)  # fmt: skip


def written(word: str) -> str:
    """A text as it stands in a literal of the language."""
    return word.replace("\\", "\\\\").replace('"', '\\"')


def text_with(word: str) -> str:
    """The machine with this in each title, name of the site, documentation and field that is a text."""
    name = written(word).replace("{", "{{").replace("}", "}}")
    text = (
        TEXT.replace('"bd{b', f'"{name} bd{{b').replace('"lf{l', f'"{name} lf{{l').replace('"x {n}', f'"{name} x {{n}}')
    )
    text = text.replace('"Ethernet{', f'"{name} Ethernet{{')
    text = text.replace('title "a <b> & {c}"', f'title "{written(word)}"')
    text = text.replace("npu Chip {", f'## {word}\nnpu Chip {{\n  vendor = "{written(word)}"')
    return text.replace("rack Pair(", f"## {word}\nrack Pair(")


def test_the_text_is_hostile_all_over() -> None:
    assert text_with("Zq").count("Zq") == 9


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tame.ubus").write_text(text_with("tame"))
    return tmp_path


def of_html(page: str) -> Any:
    tags = Tags()
    tags.feed(page)
    return tags.seen


@pytest.mark.parametrize("kind", PICTURES, ids=" ".join)
def test_a_picture_has_no_more_in_it(kind: tuple[str, ...], folder: Path) -> None:
    if "--plot" in kind:
        pytest.importorskip("matplotlib")
    suffix = "dot" if "dot" in kind else "html" if "--html" in kind else "svg"
    shape = {"dot": of_lines, "html": of_html, "svg": inert}[suffix]
    status = main(["render", "tame.ubus", *kind, "-o", f"tame.{suffix}"])
    for number, word in enumerate(HOSTILE):
        (folder / f"{number}.ubus").write_text(text_with(word))
        assert main(["render", f"{number}.ubus", *kind, "-o", f"{number}.{suffix}"]) == status
        if status == 0:
            found, expected = (shape((folder / f"{of}.{suffix}").read_text()) for of in (number, "tame"))
            assert found == expected if suffix != "svg" else found <= expected


@cache
def plan_with(word: str) -> Plan:
    compilation = compile_text(text_with(word))
    assert compilation.ok, list(compilation.diagnostics)
    return compilation.pick("pair")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "parquet"])
def test_an_export_by_the_names_of_a_site_has_no_more_in_it(form: str, tmp_path: Path) -> None:
    tame = structure(exported(plan_with("tame"), form, tmp_path / "tame"))
    for number, word in enumerate(HOSTILE):
        assert structure(exported(plan_with(word), form, tmp_path / str(number))) == tame


@pytest.mark.parametrize("form", ["cables", "json", "netbox", "graphml"])
def test_these_exports_go_by_the_names_of_the_site(form: str, tmp_path: Path) -> None:
    assert "tame lf01" in "".join(exported(plan_with("tame"), form, tmp_path / "tame").values())
