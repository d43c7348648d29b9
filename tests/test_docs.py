"""What the pages under docs/ show is run: machines are compiled and asked, commands and Python are executed.

Commands and programs run in a folder with the shipped specs, the README's cabinet as `machine.ubus` (and as `old.ubus`
and `new.ubus`), the same as a network has discovered it, small files of the formats that are read, and what `ubusc
compile` makes of the Atlas 950 SuperPoD.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.importer import samples
from tests.support import literate
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.version import VERSION

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
README = (ROOT / "README.md").read_text(encoding="utf-8")
OF_OTHERS = {"netbox/dcim/forms/bulk_import.py", "inputs/topo/gen_Topo_Template.py"}
"""Files of other projects that pages name."""


def blocks(page: Path, *languages: str) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


def named(pages: list[Path]) -> list[object]:
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages]


def commands(page: Path) -> list[str]:
    lines = [line for text in blocks(page, "", "sh") for line in text.splitlines()]
    return [line.split("  #")[0] for line in lines if line.startswith("ubusc ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("docs")
    (made / "specs").symlink_to(ROOT / "specs")
    cabinet = re.search(r"```ubus\n(.*?)```", README, re.DOTALL)
    assert cabinet
    for name in ("machine", "old", "new"):
        (made / f"{name}.ubus").write_text(cabinet[1])
    for form, suffix in (("graphml", "graphml"), ("cables", "csv")):
        found = str(made / f"discovered.{suffix}")
        assert main(["export", str(made / "machine.ubus"), "--to", form, "-o", found]) == 0
    assert main(["compile", str(ROOT / "specs/huawei/atlas-950-superpod.ubus"), "-o", str(made)]) == 0
    samples.write(made)
    return made


@pytest.mark.parametrize("page", named([p for p in PAGES if blocks(p, "ubus")]))
def test_machines_are_right(page: Path) -> None:
    for text in blocks(page, "ubus"):
        found = literate.diagnose(text)
        assert not literate.differences(found, literate.expectations(literate.MAIN, text))


@pytest.mark.parametrize("page", named([p for p in PAGES if commands(p) or blocks(p, "python")]))
def test_commands_and_programs_run(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    for command in commands(page):
        assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
    values: dict[str, object] = {"__name__": "__docs__"}
    for text in blocks(page, "python"):
        exec(compile(text, page.name, "exec"), values)


def test_what_is_cited_is_this_version() -> None:
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_files_of_the_package_that_pages_name_exist() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for name in re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text(encoding="utf-8")):
            if name.endswith("NAME.py") or name in OF_OTHERS:
                continue
            places = (ROOT / "unifiedbus_dsl" / name, ROOT / name)
            assert any(each.is_file() for each in places), f"{page.relative_to(ROOT)} names {name}, which is not there"
