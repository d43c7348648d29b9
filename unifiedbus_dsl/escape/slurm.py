"""Names in Slurm's files (slurm.conf(5), topology.conf(5)): a line is `Key=Value` pairs with spaces between them, and a
value may be a host list, in which commas and brackets have a meaning. There is no way to escape them."""

from __future__ import annotations

import re

_LEGAL = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")


def name(value: str) -> str:
    """Return the name.

    Raises:
        ValueError: it would be more than a name there.
    """
    if _LEGAL.fullmatch(value) is None:
        raise ValueError(f"{value!r} can't be a name in a file of Slurm")
    return value
