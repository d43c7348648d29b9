"""Units: exact factors, dimensions, and how quantities are written."""

import re
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from unifiedbus_dsl.base.units import (
    RATE,
    SIZE,
    TIME,
    Quantity,
    UnknownUnitError,
    counted,
    decimal_text,
    format_quantity,
    format_share,
    parse_unit,
)


@pytest.mark.parametrize(
    ("unit", "factor", "dimension"),
    [
        ("Gbps", Fraction(10**9, 8), RATE),
        ("Gb/s", Fraction(10**9, 8), RATE),
        ("GB/s", Fraction(10**9), RATE),
        ("MiB", Fraction(2**20), SIZE),
        ("ns", Fraction(1, 10**9), TIME),
        ("µs", Fraction(1, 10**6), TIME),
    ],
)
def test_factor_and_dimension(unit: str, factor: Fraction, dimension: object) -> None:
    assert parse_unit(unit) == (factor, dimension)


@pytest.mark.parametrize("unit", ["GBps", "Gbs", "furlong", "GB/fortnight"])
def test_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        parse_unit(unit)


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (Fraction(56 * 10**9), RATE, "56 GB/s"),
        (Fraction(16384 * 10**12, 2), RATE, "8.192 PB/s"),
        (Fraction(250, 10**9), TIME, "250 ns"),
        (Fraction(8192), (0, 0, 0, 0, 0, 0), "8,192"),
    ],
)
def test_written_in_the_largest_fitting_unit(value: Fraction, dimension: object, text: str) -> None:
    assert format_quantity(Quantity(value, dimension)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("share", "digits", "places"),
    [
        (0.99998, "99.998%", "99.998%"),
        (0.9999999, "99.99999%", "99.99999%"),
        (1.0, "100%", "100.00%"),
        (1 - 1e-12, "100%", "100.00%"),  # the rounding of floats
        (1.00001, "100.001%", "100.001%"),
        (0.0, "0%", "0.00%"),
        (0.00001, "0.001%", "0.001%"),
        (0.875, "87.5%", "87.50%"),
        (2 / 3, "66.67%", "66.67%"),
        (12.5, "1,250%", "1250.00%"),
    ],
)
def test_a_share_looks_like_all_or_nothing_only_where_it_is(share: float, digits: str, places: str) -> None:
    assert (format_share(share), format_share(share, places=2)) == (digits, places)


def test_counts_have_their_plural() -> None:
    assert [counted(count, "cable") for count in (0, 1, 2048)] == ["0 cables", "1 cable", "2,048 cables"]


def test_a_decimal_is_exact_or_none() -> None:
    """Read back as Python reads decimals; of a fraction in lowest terms, one ends where its denominator divides a power
    of ten."""
    for top, bottom in product((0, 1, -1, 7, -30, 123_456), range(1, 130)):
        value = Fraction(top, bottom)
        text = decimal_text(value)
        assert (text is None) is (10**7 % value.denominator != 0), value
        if text is not None:
            assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", text)
            assert Fraction(Decimal(text)) == value
