"""Keep freed memory for the arrays that come next."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Of `mallopt(3)`."""


def keep_freed_memory() -> bool:
    """Tell the C library's allocator not to give large blocks back before the process ends; whether it could be told.

    By default glibc maps every large array anew and the kernel clears its pages one by one, which was a third of the
    time of solving a million NPUs. Elsewhere nothing is done.
    """
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - there in glibc alone
        told = (
            library.mallopt(_MMAP_MAX, 0),
            library.mallopt(_TRIM_THRESHOLD, 2**31 - 1),
            library.mallopt(_TOP_PAD, 2**26),
        )
    except (AttributeError, OSError, TypeError):
        return False
    return all(told)
