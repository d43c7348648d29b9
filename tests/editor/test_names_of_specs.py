"""Every name that the shipped specs say has a meaning, and each of their own can be given another.

What renaming makes is held against the compiler, which knows nothing of the editor: a text in which a name was missed
has an error, and a machine in which a name means another thing has other counts.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from unifiedbus_dsl import compiler
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics.fix import apply_edits
from unifiedbus_dsl.editor.entries import Symbol, file_key
from unifiedbus_dsl.editor.navigation import RenameError, rename, renameable
from unifiedbus_dsl.editor.project import Project

SPECS = Path(__file__).parents[2] / "specs"
FILES = sorted(SPECS.rglob("*.ubus"))
FRESH = "zz_fresh"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_name_has_a_meaning(path: Path) -> None:
    document = Project((SPECS,)).document(path)
    assert document is not None
    assert document.mentions.all
    missing = [f"{each.span!r} {each.word.text}" for each in document.mentions.all if not each.entries]
    assert not missing


def counts(done: Compilation) -> dict[str, list[int]]:
    """How many there are of each type of a system, whatever the types are called."""
    return {name: sorted(Counter(plan.instances).values()) for name, plan in done.plans.items()}


def renamed(project: Project, path: Path, chosen: random.Random, most: int) -> int:
    """Rename things of a file, one at a time, and hold the texts that come of it against the compiler."""
    document = project.document(path)
    assert document is not None
    before = compiler.compile(path)
    defined = [each for each in document.mentions.all if each.defines]
    done = 0
    for mention in chosen.sample(defined, min(most, len(defined))):
        if mention.space.get(mention.word.text) and not isinstance(mention.space.get(mention.word.text)[0], Symbol):
            with pytest.raises(RenameError, match="the compiler understands"):
                renameable(project, document, mention.span.start)
            continue
        edits = rename(project, document, mention.span.start, FRESH)
        texts = {}
        for edit in edits:
            source = edit.span.source
            own = [each for each in edits if file_key(each.span.source) == file_key(source)]
            texts[str(source.path)] = apply_edits(source.text, own)
        after = Project((SPECS,))
        for name, text in texts.items():
            after.put(Path(name), text)
        again = after.document(path)
        assert again is not None
        made = again.compilation
        assert not made.diagnostics, (mention, made.diagnostics)
        assert len(made.expectations) == len(before.expectations)
        assert sorted(map(str, counts(made).values())) == sorted(map(str, counts(before).values()))
        done += 1
    return done


@pytest.mark.parametrize("seed", range(6))
def test_renaming_changes_nothing_else(seed: int) -> None:
    chosen = random.Random(seed)
    path = chosen.choice([path for path in FILES if path.parent.name != "std"])
    assert renamed(Project((SPECS,)), path, chosen, 4) > 0


@pytest.mark.scale
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_renaming_everything(path: Path) -> None:
    assert renamed(Project((SPECS,)), path, random.Random(1), 1_000) > 0
