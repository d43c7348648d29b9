"""Numbers of so few digits that sums of them are exact.

The last digit of an exponential function, and the order in which a library for vectors and matrices adds up, differ
from processor to processor. Where sums are compared to choose a path or a cut, a tie would be broken by that.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Floats


def round_mantissa(values: Floats, bits: int = 30) -> Floats:
    """`values` (not negative, finite) to so many bits below the largest, of which sums of up to 2^(53 - bits) are exact
    in any order; what is positive stays so."""
    unit = 2.0 ** (int(np.frexp(values.max(initial=0.0))[1]) - bits)
    return np.asarray(np.where(values > 0, np.maximum(np.rint(values / unit), 1.0), 0.0) * unit)
