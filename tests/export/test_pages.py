"""The pages of the codes of exports and imports: their examples are runs of the command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from unifiedbus_dsl.cli import main
from unifiedbus_dsl.diagnostics import catalogue

PAGES = {p.code: p for p in catalogue.pages() if p.code > "UB08" and p.wrong[-1].text.startswith("$ ubusc ")}


@pytest.mark.parametrize("code", PAGES)
def test_the_example_says_what_the_page_shows(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGES[code]
    for block in page.wrong[:-1]:
        (tmp_path / "machine.ubus").write_text(block.text)
    (tmp_path / "cables.csv").write_text("from,to\n")
    (tmp_path / "found.txt").write_text(
        'ibwarn: [12345] _do_madrpc: recv failed\nSwitch\t64 "S-00000000000000a1"\t\t# "leaf" base port 0 lid 1 lmc 0\n'
    )
    command, _, output = page.wrong[-1].text.partition("\n")
    main(shlex.split(command)[2:])
    said = "\n".join(line for line in capsys.readouterr().err.splitlines())
    assert f"[{code}]" in output
    assert output.strip() in said
