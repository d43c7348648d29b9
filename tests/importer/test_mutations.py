"""No file crashes what reads it: 10,000 changed ones of every format, of which most still give what is certain."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.importer import samples
from tests.importer.mutations import mutated
from unifiedbus_dsl.importer import ImportFailed, read

CASES = Path(__file__).parent / "cases"
TEXTS = {
    **{name: text if isinstance(text, str) else json.dumps(text) for name, text in samples.FILES.items()},
    **{path.name: path.read_text() for path in sorted(CASES.iterdir()) if path.suffix != ".ubus"},
}


def changed(count: int, seed: int, path: Path) -> int:
    """How many of so many changed files still give a machine; every other is refused with a sentence."""
    rng = random.Random(seed)
    names = sorted(TEXTS)
    taken = 0
    for number in range(count):
        name = names[number % len(names)]
        data = mutated(TEXTS[name], rng)
        path.write_bytes(data)
        try:
            found = read(path)
            fabric = found.fabric()
        except ImportFailed:
            continue
        except Exception as error:
            raise AssertionError(f"{name}, {number}: {data!r}") from error
        taken += 1
        assert fabric.device_count == len(found.table.devices)
        assert fabric.cable_count == len(found.table)
    return taken


def test_changed_files_are_read_or_refused(tmp_path: Path) -> None:
    assert changed(400, 7, tmp_path / "found.txt") > 240


@pytest.mark.slow
def test_ten_thousand_changed_files_are_read_or_refused(tmp_path: Path) -> None:
    assert changed(10_000, 11, tmp_path / "found.txt") > 5_500


@pytest.mark.parametrize("name", ["names.txt", "one-based.csv"])
def test_noise_takes_nothing_away(name: str, tmp_path: Path) -> None:
    """Lines of a terminal between the lines of a file: the same machine, and a doubt for each."""
    lines = TEXTS[name].split("\n")
    before = read(CASES / name)
    noise = ["user@mgmt1:~$ ibnetdiscover", "ibwarn: [1] recv failed", "Killed"]
    for place, text in ((len(lines) - 1, noise[0]), (7, noise[1]), (5, noise[2])):
        lines.insert(place, text)
    (tmp_path / name).write_text("\n".join(lines))
    after = read(tmp_path / name)
    assert after.listing() == before.listing()
    assert after.doubts.total == before.doubts.total + 3
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"):
        (tmp_path / name).write_bytes(TEXTS[name].replace("\n", "\r\n").encode(encoding))
        assert read(tmp_path / name).listing() == before.listing(), encoding


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_capitals_and_empty_rows(separator: str, tmp_path: Path) -> None:
    text = TEXTS["one-based.csv"]
    head, *rows = text.splitlines()
    changed_text = "\n".join(["", head.upper(), *(f"{row}  " for row in rows), ",,,,,,", ""]).replace(",", separator)
    (tmp_path / "one-based.csv").write_text(changed_text)
    found = read(tmp_path / "one-based.csv")
    assert found.listing() == read(CASES / "one-based.csv").listing()
    assert not found.doubts
