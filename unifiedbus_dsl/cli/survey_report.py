"""A survey as people read it, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from unifiedbus_dsl.analysis.report import outage_report
from unifiedbus_dsl.analysis.survey.surveys import Findings, Row, Surveyed, goodness, worst_value
from unifiedbus_dsl.base.units import format_share
from unifiedbus_dsl.escape.json import indented
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.registry import less_is_better
from unifiedbus_dsl.solver.resilience.quantiles import METHOD, Quantile

NONE = "no answer"


# ---- text ---------------------------------------------------------------------------------------------------------


def as_text(found: Surveyed, confidence: float) -> str:
    """Return the whole machine, then a line for each sort of failure, or quantiles of the draws."""
    lines = [_title(found), "", "  whole machine"]
    width = max(map(len, found.asked))
    for number, (text, answer) in enumerate(zip(found.asked, found.base.answers, strict=True), 1):
        assert answer is not None
        lines.append(f"    [{number}] {text:<{width}}  {answer.shown}  {answer.standing}")
    if found.alone:
        lines.append(f"  each part is solved for itself: {found.alone}")
    if found.seed is None and _bounds_rank(found):
        lines.append("  worst first by what is proved: of an interval its worse end counts")
    lines.append("")
    lines += _table(found) if found.seed is None else _distribution(found, confidence)
    return "\n".join(lines) + "\n"


def _bounds_rank(found: Surveyed) -> bool:
    """Return whether answers are intervals, of which one end says what comes first."""
    answers = [found.answer(row, measure) for row in found.rows for measure in range(len(found.asked))]
    return any(answer is not None and answer.kind == "interval" for answer in answers)


def _title(found: Surveyed) -> str:
    done = "" if found.complete else f"; stopped: {found.finished:,} of {found.total:,} are done"
    if found.seed is None:
        sorts = f"{found.total:,} to solve" if found.total < found.population else "each solved"
        return f"{found.system}: each single {found.noun}: {found.population:,}, {sorts}{done}"
    many = f"{found.fail:,} of {found.population:,} parts ({found.of}) fail at once"
    return f"{found.system}: {many}, {found.total:,} random draws of seed {found.seed}{done}"


def _table(found: Surveyed) -> list[str]:
    head = ["parts", "such as", *(f"[{n}]" for n in range(1, len(found.asked) + 1)), "cut off", "worst pair", "left"]
    rows = [head] + [_cells(found, row) for row in found.rows]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    right = {0, *range(2, len(head) - 2)}
    lines = []
    for at, cells in enumerate(rows):
        line = [c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(cells, widths, strict=True))]
        lines.append(("  " + "  ".join(line)).rstrip())
        if at:
            lines += [f"      {reason}" for reason in _reasons(found.rows[at - 1])]
    return lines


def _cells(found: Surveyed, row: Row) -> list[str]:
    cells = [f"{row.copies:,}", ", ".join(row.parts)]
    for measure in range(len(found.asked)):
        answer, share = found.answer(row, measure), found.share(row, measure)
        cells.append(NONE if answer is None else answer.shown + ("" if share is None else f" {_range(share):>7}"))
    left = row.outcome.value
    if left is None:
        return [*cells, "", "", ""]
    tiers = ", ".join(
        f"tier {t.low}-{t.high} {format_share(outage_report.remaining_fraction(t), places=2)}"
        for t in outage_report.worse(left.losses)
    )
    return [*cells, f"{len(left.losses.cut_off):,}", _hops(left), tiers or "all bandwidth"]


def _range(share: tuple[float, float]) -> str:
    """Return a part of the base, as worse and better case where these differ."""
    worse, better = (format_share(part, places=2) if isfinite(part) else "unbounded" for part in share)
    return worse if worse == better else f"{worse} to {better}"


def _hops(left: Findings) -> str:
    after, before = left.losses.hops_after, left.losses.hops_before
    if after < 0:
        return ""
    return f"{after} hops" + (f", {before} before" if before != after else "")


def _reasons(row: Row) -> list[str]:
    if row.outcome.value is None:
        return [row.outcome.reason]
    return list(dict.fromkeys(reason for reason in row.outcome.value.reasons if reason))


def _distribution(found: Surveyed, confidence: float) -> list[str]:
    if not found.rows:
        return ["  no draw is done"]
    lines = [f"  quantiles, each in an interval of {confidence * 100:.4g} % confidence ({METHOD})"]
    for measure in range(len(found.asked)):
        for each in found.quantiles(measure, confidence):
            value, low, high = _bounds(found, measure, each)
            lines.append(f"    [{measure + 1}] {each.q:4.0%}  {value}  in {low} to {high}")
    cut = sorted(len(row.outcome.value.losses.cut_off) for row in found.rows if row.outcome.value is not None)
    if cut:
        lines.append(
            f"  end points cut off: {cut[0]:,} to {cut[-1]:,}, {cut[(len(cut) - 1) // 2]:,} in the median draw"
        )
    missing = sum(found.answer(row, 0) is None for row in found.rows)
    if missing:
        lines.append(f"  draws without an answer to [1], which count as the worst: {missing:,}")
    worst = _worst(found)
    lines.append(f"  worst draw of [1]: number {worst.number}: {', '.join(worst.parts[:8])}" + (
        f" and {len(worst.parts) - 8:,} more" if len(worst.parts) > 8 else ""))  # fmt: skip
    return lines


def _worst(found: Surveyed) -> Row:
    """Return the draw with the worst answer to the first measure."""
    return min(found.rows, key=lambda row: goodness(found.answer(row, 0)))


def _bounds(found: Surveyed, measure: int, each: Quantile) -> tuple[str, ...]:
    """Return the quantile and its interval for a reader: an end on the worse side may be no answer, one on the other
    may be unknown from so few draws."""
    base = found.base.answers[measure]
    assert base is not None
    worst = worst_value(base.measure)
    return tuple(
        shown(value, base.dimension) if isfinite(value) else NONE if value == worst else "no bound from so few draws"
        for value in (each.value, each.lower, each.upper)
    )


# ---- JSON ---------------------------------------------------------------------------------------------------------


def as_json(found: Surveyed, confidence: float) -> str:
    """Measures have the form that `ubusc analyze --json` gives them."""
    data: dict[str, Any] = {
        "version": 1,
        "system": found.system,
        "of": found.of,
        "fail": found.fail,
        "parts": found.population,
        "seed": found.seed,
        "complete": found.complete,
        "finished": found.finished,
        "total": found.total,
        "base": {"measures": [answer.to_json() for answer in found.base.answers if answer is not None]},
    }
    if found.alone:
        data["alone"] = found.alone
    if found.seed is None:
        data["ranked_by"] = [
            {"measure": text, "bound": "upper" if base is not None and less_is_better(base.measure) else "lower"}
            for text, base in zip(found.asked, found.base.answers, strict=True)
        ]
        data["failures"] = [{"part": row.parts[0], "copies": row.copies, **_row(found, row)} for row in found.rows]
    else:
        data["draws"] = [{"number": row.number, "parts": list(row.parts), **_row(found, row)} for row in found.rows]
        data["quantiles"] = [
            _quantile(text, each, confidence)
            for measure, text in enumerate(found.asked)
            for each in found.quantiles(measure, confidence)
        ]
    return indented(data)


def _row(found: Surveyed, row: Row) -> dict[str, Any]:
    left = row.outcome.value
    if left is None:
        return {"measures": [], "reason": row.outcome.reason}
    named = found.seed is None
    return {
        "measures": [
            {"measure": base.measure, "arguments": base.arguments, "value": None, "reason": reason}
            if answer is None and base is not None
            else {**_plain(answer.to_json() if answer else {}, named=named), **_of_base(found.share(row, at))}
            for at, (base, answer, reason) in enumerate(
                zip(found.base.answers, left.answers, left.reasons, strict=True)
            )
        ],
        "losses": outage_report.to_json(found.machine, left.losses, named=named),
    }


def _of_base(share: tuple[float, float] | None) -> dict[str, Any]:
    """Return the worse case of a part of the base, and where that is no single number both bounds in order."""
    if share is None:
        return {"of_base": None}
    worse, low, high = (part if isfinite(part) else None for part in (share[0], min(share), max(share)))
    return {"of_base": worse} if low == high else {"of_base": worse, "of_base_bounds": [low, high]}


def _plain(answer: dict[str, Any], *, named: bool) -> dict[str, Any]:
    """Of a draw, which may be solved by its image, without what names parts of the image."""
    return answer if named else {key: value for key, value in answer.items() if key not in ("binding", "detail")}


def _quantile(text: str, each: Quantile, confidence: float) -> dict[str, Any]:
    ends: Sequence[float] = (each.value, each.lower, each.upper)
    value, low, high = (end if isfinite(end) else None for end in ends)
    return {
        "measure": text, "q": each.q, "value": value, "lower": low, "upper": high, "confidence": confidence,
        "method": METHOD,
    }  # fmt: skip
