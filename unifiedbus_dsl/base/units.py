"""Exact quantities: a rational number in SI base units and a dimension.

Inside, information is counted in bytes, so `112 Gbps` is 14e9 byte/s. A rate is per direction: a figure written
`bidir` adds both directions and is halved on reading. Prefixes k, M, G, … are powers of 1,000 and Ki, Mi, Gi, … powers
of 1,024 (IEC 80000-13).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from attrs import frozen

Dimension: TypeAlias = tuple[int, int, int, int, int, int]
"""Exponents of byte, second, metre, watt, US dollar, floating-point operation."""

NUMBER: Dimension = (0, 0, 0, 0, 0, 0)
SIZE: Dimension = (1, 0, 0, 0, 0, 0)
TIME: Dimension = (0, 1, 0, 0, 0, 0)
LENGTH: Dimension = (0, 0, 1, 0, 0, 0)
POWER: Dimension = (0, 0, 0, 1, 0, 0)
MONEY: Dimension = (0, 0, 0, 0, 1, 0)
WORK: Dimension = (0, 0, 0, 0, 0, 1)
RATE: Dimension = (1, -1, 0, 0, 0, 0)
DELAY: Dimension = (0, 1, -1, 0, 0, 0)
COMPUTE: Dimension = (0, -1, 0, 0, 0, 1)
FREQUENCY: Dimension = (0, -1, 0, 0, 0, 0)

DIMENSION_NAMES: dict[Dimension, str] = {
    NUMBER: "a number",
    SIZE: "a size",
    TIME: "a time",
    LENGTH: "a length",
    POWER: "a power",
    MONEY: "a sum of money",
    WORK: "an amount of work",
    RATE: "a rate",
    DELAY: "a delay per length",
    COMPUTE: "a compute rate",
    FREQUENCY: "a number a second",
}

_BASE_SYMBOLS = ("B", "s", "m", "W", "USD", "FLOP")
_DECIMAL = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21}
_SMALL = {"m": -3, "u": -6, "µ": -6, "μ": -6, "n": -9, "p": -12, "c": -2}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


@frozen
class Quantity:
    """`value` in SI base units (byte, second, metre, watt, USD, FLOP) of dimension `dimension`."""

    value: Fraction
    dimension: Dimension = NUMBER

    def __float__(self) -> float:
        return float(self.value)

    @property
    def is_integer(self) -> bool:
        return self.dimension == NUMBER and self.value.denominator == 1


def number(value: int | Fraction) -> Quantity:
    return Quantity(Fraction(value))


def _table() -> dict[str, tuple[Fraction, Dimension]]:
    units: dict[str, tuple[Fraction, Dimension]] = {"%": (Fraction(1, 100), NUMBER)}
    for prefix, power in _DECIMAL.items():
        scale = Fraction(10) ** power
        if prefix != "Z":
            units[f"{prefix}B"] = (scale, SIZE)
            for bit in ("b", "bit"):
                units[f"{prefix}{bit}"] = (scale / 8, SIZE)
            units[f"{prefix}bps"] = (scale / 8, RATE)
        for flop in ("FLOP", "OP"):
            units[f"{prefix}{flop}"] = (scale, WORK)
            units[f"{prefix}{flop}S"] = (scale, COMPUTE)
        if prefix in ("", "k", "M"):
            units[f"{prefix}W"] = (scale, POWER)
            units[f"{prefix}USD"] = (scale, MONEY)
    for prefix, power in _BINARY.items():
        scale = Fraction(1024) ** power
        units[f"{prefix}B"] = (scale, SIZE)
        for bit in ("b", "bit"):
            units[f"{prefix}{bit}"] = (scale / 8, SIZE)
    for prefix, power in _SMALL.items():
        scale = Fraction(10) ** power
        if prefix != "c":
            units[f"{prefix}s"] = (scale, TIME)
        units[f"{prefix}m"] = (scale, LENGTH)
    units["mW"] = (Fraction(1, 1000), POWER)
    units["s"] = (Fraction(1), TIME)
    units["min"] = (Fraction(60), TIME)
    units["h"] = (Fraction(3600), TIME)
    units["day"] = (Fraction(86_400), TIME)
    units["yr"] = (Fraction(8760 * 3600), TIME)  # the 8,760 hours of reliability tables
    units["token"] = units["tokens"] = (Fraction(1), NUMBER)  # behind a number: `4e6 tokens/s`
    units["m"] = (Fraction(1), LENGTH)
    units["km"] = (Fraction(1000), LENGTH)
    units["U"] = (Fraction(4445, 100_000), LENGTH)  # a unit of a rack: 1.75 inches (EIA-310)
    return units


UNITS = _table()
"""Every simple unit: factor to SI base units, and dimension. `GB/s` and `ns/m` are made of two of them."""


SPELLINGS = {
    "byte": "B", "bytes": "B", "bits": "b", "sec": "s", "second": "s", "seconds": "s", "msec": "ms", "usec": "us",
    "nsec": "ns", "psec": "ps", "minute": "min", "minutes": "min", "hour": "h", "hours": "h", "hr": "h", "d": "day",
    "days": "day", "year": "yr", "years": "yr", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "watt": "W",
    "watts": "W", "dollar": "USD", "dollars": "USD", "percent": "%", "gbyte": "GB", "tbyte": "TB", "mbyte": "MB",
}  # fmt: skip
"""How units are spelt elsewhere, in small letters, with what they are called here."""


class UnknownUnitError(ValueError):
    """No such unit; `part` is the piece of it that is unknown."""

    def __init__(self, part: str) -> None:
        super().__init__(f"unknown unit `{part}`")
        self.part = part


def is_unit(text: str) -> bool:
    """Return whether a text is a unit."""
    try:
        parse_unit(text)
    except UnknownUnitError:
        return False
    return True


def parse_unit(text: str) -> tuple[Fraction, Dimension]:
    """Factor to SI base units, and dimension, of `GB/s`, `ns/m`, `%`, …

    Raises:
        UnknownUnitError: a part is in no table. `GBps` is none on purpose: some read it as bytes, some as bits.
    """
    top, _, bottom = text.partition("/")
    factor, dimension = _unit(top)
    if bottom:
        under, other = _unit(bottom)
        return factor / under, divide_dimensions(dimension, other)
    return factor, dimension


def _unit(part: str) -> tuple[Fraction, Dimension]:
    unit = UNITS.get(part)
    if unit is None:
        raise UnknownUnitError(part)
    return unit


def multiply_dimensions(a: Dimension, b: Dimension) -> Dimension:
    return tuple(x + y for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def divide_dimensions(a: Dimension, b: Dimension) -> Dimension:
    return tuple(x - y for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def dimension_name(dimension: Dimension) -> str:
    """`a rate`, or the product of base units where there is no word for it."""
    if dimension in DIMENSION_NAMES:
        return DIMENSION_NAMES[dimension]
    return "a quantity in " + dimension_symbol(dimension)


def dimension_symbol(dimension: Dimension) -> str:
    """`B/s`, `W*s/m`: the dimension in base units."""
    top = [s if e == 1 else f"{s}^{e}" for s, e in zip(_BASE_SYMBOLS, dimension, strict=True) if e > 0]
    bottom = [s if e == -1 else f"{s}^{-e}" for s, e in zip(_BASE_SYMBOLS, dimension, strict=True) if e < 0]
    return ("*".join(top) or "1") + ("/" + "/".join(bottom) if bottom else "")


_SCALES: dict[Dimension, tuple[tuple[str, Fraction], ...]] = {
    d: tuple((u, UNITS[u][0] if "/" not in u else parse_unit(u)[0]) for u in names)
    for d, names in {
        SIZE: ("EB", "PB", "TB", "GB", "MB", "kB", "B"),
        RATE: ("EB/s", "PB/s", "TB/s", "GB/s", "MB/s", "kB/s", "B/s"),
        TIME: ("h", "s", "ms", "us", "ns", "ps"),
        LENGTH: ("km", "m", "mm"),
        POWER: ("MW", "kW", "W"),
        MONEY: ("MUSD", "USD"),
        WORK: ("EFLOP", "PFLOP", "TFLOP", "GFLOP", "FLOP"),
        COMPUTE: ("ZFLOPS", "EFLOPS", "PFLOPS", "TFLOPS", "GFLOPS", "FLOPS"),
        DELAY: ("ns/m",),
    }.items()
}


def format_number(value: Fraction | float, digits: int = 4) -> str:
    """At most `digits` significant digits after the thousands; whole numbers whole, with thousands separators."""
    exact = Fraction(value)
    if exact.denominator == 1:
        return f"{int(exact):,}"
    size = abs(float(exact))
    if size >= 10**15 or size < 10**-6:
        return f"{float(exact):.{digits - 1}e}"
    places = max(0, digits - len(str(int(size))) if size >= 1 else digits)
    text = f"{float(exact):,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_text(value: Fraction) -> str | None:
    """Return a number exactly, as a decimal without thousands separators; None where one would not end."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return None
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = f"{int(abs(value) * 10**places):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


def format_share(share: float, *, digits: int = 4, places: int | None = None) -> str:
    """`87.5%`: in so many digits, or `places` behind the point; in more where it would look like 0% or 100% and is not.

    What is off by no more than the rounding of floats is 0% or 100%.
    """
    percent = float(share) * 100
    for more in range(10):
        text = format_number(percent, digits + more) if places is None else f"{percent:.{places + more}f}"
        if abs(float(text.replace(",", "")) - percent) <= 1e-7 or float(text.replace(",", "")) not in (0, 100):
            break
    return f"{text}%"


def counted(count: int, noun: str) -> str:
    """`1 cable`, `2,048 cables`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def format_quantity(quantity: Quantity, digits: int = 4) -> str:
    """`56 GB/s`, `250 ns`, `8,192`: in the largest unit that keeps the number at 1 or more."""
    scales = _SCALES.get(quantity.dimension)
    if scales is None:
        text = format_number(quantity.value, digits)
        return text if quantity.dimension == NUMBER else f"{text} {dimension_symbol(quantity.dimension)}"
    for unit, factor in scales:
        if abs(quantity.value) >= factor or unit == scales[-1][0]:
            return f"{format_number(quantity.value / factor, digits)} {unit}"
    raise AssertionError("unreachable: the last unit always matches")
