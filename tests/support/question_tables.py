"""The tables of `docs/questions.md` that are made from what is registered.

`python -m tests.support.question_tables --accept` writes them anew; a test holds the page to them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
from unifiedbus_dsl.measures.reference import argument_table, table
from unifiedbus_dsl.vocabulary.signatures import ALGORITHMS, MEASURES, ROUTINGS, SCHEDULES, TRAFFICS, WORKLOADS

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"


def tables() -> dict[str, str]:
    """Return the tables by the name that stands in the mark before each."""
    return {
        "measures": table(MEASURES, ("measure", "what it is")),
        "routings": table(ROUTINGS, ("routing", "how it shares")),
        "traffic": table(TRAFFICS, ("pattern", "who sends to whom")),
        "algorithms": table(ALGORITHMS, ("algorithm", "how it goes")),
        "workloads": table(WORKLOADS, ("workload", "what it is")),
        "schedules": table(SCHEDULES, ("schedule", "how passes go")),
        "arguments": argument_table(),
    }


def written_anew(page: str) -> str:
    """Return a page with the table behind each mark, up to the next blank line, as it is made now."""
    for name, rows in tables().items():
        mark = f"<!-- registered: {name} -->\n"
        assert page.count(mark) == 1, name
        page = re.sub(re.escape(mark) + r"(\|[^\n]*\n)*", lambda _, text=mark + rows: text, page)
    return page


if __name__ == "__main__" and sys.argv[1:] == ["--accept"]:
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
