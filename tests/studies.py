"""The page of design studies, `docs/studies.md`: explorations of the files beside it, and their tables.

`python -m tests.studies` writes it anew; `tests/test_studies.py` holds it to what the files say now.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import unifiedbus_dsl as ub
from unifiedbus_dsl.analysis.explore.front import Standing

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "studies.md"
FOLDER = ROOT / "docs" / "studies"
BLOCKS = (("deepseek-networks", "networks"), ("uplink-planes", "planes"), ("uplink-planes", "fewest"))
WORDS = {Standing.ON: "on the front", Standing.POSSIBLY: "possibly", Standing.OFF: "dominated", None: "not feasible"}


@cache
def explored(file: str, block: str) -> ub.Explored:
    """What comes of a block of a study."""
    return ub.explore(ub.compile(FOLDER / f"{file}.ubus"), block)


def table(file: str, block: str) -> list[str]:
    """Return the lines of its table: what was set, each figure, how the design stands."""
    found = explored(file, block)
    problem = found.problem
    titles = [*(goal.text for goal in problem.goals), *(question.text for question in problem.further)]
    rows = [[*(axis.name for axis in problem.space.axes), *(f"`{title}`" for title in titles), "standing"]]
    for design in found.designs:
        answers = design.solved.answers or (None,) * len(titles)
        figures = ["" if each is None else f"{each.shown} {each.kind}" for each in answers]
        rows.append([*design.settings.values(), *figures, WORDS[design.standing]])
    return [f"{found.claim()[0].upper()}{found.claim()[1:]}.", "", *_markdown(rows)]


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return [head, f"|{' --- |' * len(rows[0])}", *body]


def page(text: str) -> str:
    """Return the page with each of its tables made anew."""
    for file, block in BLOCKS:
        before, _, rest = text.partition(_mark(file, block))
        _, _, after = rest.partition("<!-- end -->")
        assert after, f"the page has no place for {file}: {block}"
        text = "\n".join((f"{before}{_mark(file, block)}", "", *table(file, block), "", f"<!-- end -->{after}"))
    return text


def _mark(file: str, block: str) -> str:
    return f"<!-- {file}: {block} -->"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
