"""What answers about workloads share: the constants that an estimate rests on, its certificate, the table of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from unifiedbus_dsl.base.units import TIME, Dimension, Quantity, format_quantity, format_share
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.workloads.read_workload import PlacedWorkload
from unifiedbus_dsl.verify import Certificate, Stated
from unifiedbus_dsl.verify.estimates import EstimateCertificate
from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.training import EXCHANGED

Parts = Mapping[str, float]
BOUND = "greatest of the bounds by FLOPs, memory and walls: no schedule, overlap or kernel is faster"
UNSEEN = "the times of a bound are their finder's alone"


def constants_of(chip: Chip) -> str:
    """Return the constants that an estimate rests on, in a sentence."""
    c = chip.constants
    launch = format_quantity(Quantity(Fraction(c.launch_s).limit_denominator(10**12), TIME))
    shares = f"{format_share(c.gemm_efficiency)} of its peak, {format_share(c.hbm_efficiency)} of its memory's rate"
    return (
        f"kernels of `{chip.name}` reach {shares} and take {launch} to launch; collectives reach "
        f"{format_share(c.fabric_efficiency)} of the rates of cables"
    )


def estimate(
    call: MeasureCall,
    placed: PlacedWorkload,
    value: float,
    dimension: Dimension,
    parts: Iterable[float],
    *,
    total: float,
    least: float,
    why: str,
    text: str,
    binding: tuple[str, ...] = (),
    lines: tuple[str, ...] = (),
    detail: dict[str, Any],
) -> Certified[Answer]:
    """Return an answer that rests on `why`: worked out of a sum `total` of parts, which is no less than `least`."""
    answer = call.exact(
        value, dimension, binding=binding, assumptions=placed.said, detail=detail, text=text, lines=lines
    )
    return Certified(answer.estimated(why), EstimateCertificate(value, total, least, tuple(parts)))


def bound(
    call: MeasureCall,
    placed: PlacedWorkload,
    seconds: float,
    binding: str,
    bounds: Parts,
    certificate: Certificate | None = None,
) -> Certified[Answer]:
    """Return an answer that is a lower bound on a time, the greatest of several, with what shows it."""
    rows = [(name, shown(each, TIME)) for name, each in sorted(bounds.items(), key=lambda b: -b[1]) if each]
    width = max((len(name) for name, _ in rows), default=0)
    lines = tuple(f"{name:<{width}}  {text:>10}" for name, text in rows)
    answer = call.exact(
        seconds, TIME, binding=(binding,), assumptions=(BOUND, *placed.said), detail={"bounds": dict(bounds)},
        lines=lines,
    )  # fmt: skip
    return Certified(answer, certificate or Stated(answer.lower, answer.upper, UNSEEN))


def bytes_text(size: float) -> str:
    """Return a size for a reader."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def volumes(exchanges: Iterable[Exchange]) -> dict[str, float]:
    """Return the bytes of exchanges by part, as their collectives count them for a rank."""
    total = dict.fromkeys(EXCHANGED, 0.0)
    for each in exchanges:
        total[each.part] += each.size_bytes * each.times
    return total


def largest(parts: Parts, binding: Mapping[str, tuple[str, ...]]) -> str:
    """Return the part of a time that takes most of it, with the cables that bind it."""
    most = max(parts, key=lambda part: parts[part])
    links = binding.get(most, ())
    share = format_share(parts[most] / sum(parts.values()), places=0)
    return f"{most}, {share}" + (f" ({', '.join(links)})" if links else "")


def parts_table(
    parts: Parts, whole: Parts, exchanges: Iterable[Exchange], binding: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the parts of a time: what is exposed, of exchanges the whole time and volume, and what binds them."""
    volume, total = volumes(exchanges), sum(parts.values())
    rows = [("part", "exposed", "share", "whole", "a rank", "bound by")]
    for part, seconds in parts.items():
        all_of_it = whole.get(part, 0.0)
        if not seconds and not all_of_it:
            continue
        exchange = part in EXCHANGED and all_of_it > 0
        rows.append((
            part, shown(seconds, TIME), format_share(seconds / total),
            shown(all_of_it, TIME) if exchange else "", bytes_text(volume[part]) if exchange else "",
            ", ".join(binding.get(part, ())),
        ))  # fmt: skip
    width = [max(len(row[k]) for row in rows) for k in range(5)]
    return tuple(
        f"{row[0]:<{width[0]}}  {'  '.join(f'{row[k]:>{width[k]}}' for k in range(1, 5))}  {row[5]}".rstrip()
        for row in rows
    )


def parts_detail(
    parts: Parts, whole: Parts, exchanges: Iterable[Exchange], binding: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """Return the same as JSON holds it."""
    volume = volumes(exchanges)
    return {
        part: {"exposed_s": seconds}
        | ({"whole_s": whole[part], "bytes": volume[part]} if part in EXCHANGED else {})
        | ({"binding": list(binding[part])} if part in binding else {})
        for part, seconds in parts.items()
    }
