"""A result as a table: a data frame of pandas, and what a notebook shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.escape import html

if TYPE_CHECKING:
    import pandas

Columns: TypeAlias = Mapping[str, Sequence[Any] | np.ndarray[Any, Any]]
SHOWN_ROWS = 12
"""Rows that a notebook shows of a table."""


class Tabular:
    """A result that is a table. A class says its rows and the columns of any of them: no more is made than is shown."""

    __slots__ = ()
    INDEX: ClassVar[str] = ""
    """The name of the column of row numbers."""

    def headline(self) -> str:
        """Return what stands above the table in a notebook."""
        return type(self).__name__

    def row_ids(self) -> Ints:
        """Return the number of each row, [n]: ids of the fabric, or places."""
        raise NotImplementedError

    def columns(self, rows: Ints) -> Columns:
        """Return the columns of these rows, each as long as `rows`."""
        raise NotImplementedError

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame: a row for each of the table, by its number.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("`to_pandas()` needs pandas: `pip install pandas`") from error
        rows = self.row_ids()
        made = pandas.DataFrame(dict(self.columns(rows)), index=rows)
        return made.rename_axis(self.INDEX) if self.INDEX else made

    def _repr_html_(self) -> str:
        """Return an HTML table of the first rows, and how many more there are."""
        rows = self.row_ids()
        shown = rows[:SHOWN_ROWS]
        columns = self.columns(shown)
        head = "".join(f"<th>{html.text(name)}</th>" for name in (self.INDEX, *columns))
        lines = zip(shown.tolist(), *columns.values(), strict=True)
        body = "".join(f"<tr>{''.join(f'<td>{html.text(_cell(each))}</td>' for each in line)}</tr>" for line in lines)
        more = f"<p>… {len(rows) - len(shown):,} more rows</p>" if len(rows) > len(shown) else ""
        caption = html.text(self.headline())
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    """Return a value as a reader sees it in a cell."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:,.6g}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return str(value)
