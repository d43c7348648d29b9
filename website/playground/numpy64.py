# NumPy as a computer of 64 bits has it, for the Python of the browser, which has 32: there NumPy takes integers of 32
# bits for sums, counts, places and what Python's own become, and they wrap without a word. The compiler is written for
# 64, so its modules are given this one in place of NumPy, and methods of arrays that count go by `METHODS`.
import functools
import math

import numpy

INT = numpy.int64
ALONG = ("bitwise_and", "bitwise_or", "fmax", "fmin", "logical_and", "logical_or", "maximum", "minimum", "subtract")
"""Functions that are used along arrays, whose results have the type of the array."""
MACHINE = numpy.dtype(numpy.intp)


def __getattr__(name):
    return getattr(numpy, name)


LARGEST = numpy.iinfo(MACHINE).max


def _is_array(value):
    return isinstance(value, numpy.ndarray | numpy.generic)


def _widened(found):
    """Return integers of the machine, and those in a tuple, in 64 bits."""
    if isinstance(found, numpy.ndarray):
        return found.astype(INT) if found.dtype == MACHINE else found
    if isinstance(found, numpy.generic):
        return INT(found) if found.dtype == MACHINE else found
    if isinstance(found, tuple) and found:
        wide = map(_widened, found)
        return type(found)(*wide) if hasattr(found, "_fields") else type(found)(wide)
    return found


def _placing(name):
    """A function that gives places or counts."""
    function = getattr(numpy, name)
    return functools.wraps(function)(lambda *given, **named: _widened(function(*given, **named)))


def _making(name):
    """A function that makes an array of what it is given: of Python's integers, in 64 bits where nothing is said."""
    function = getattr(numpy, name)

    @functools.wraps(function)
    def made(*given, **named):
        if named.get("dtype") is int:
            named["dtype"] = INT
        found = function(*given, **named)
        own = "dtype" not in named and named.get("out") is None and not any(map(_holds_array, given))
        return _widened(found) if own else found

    return made


def _holds_array(value):
    return _is_array(value) or (isinstance(value, list | tuple) and any(map(_holds_array, value[:8])))


def _values(given):
    """Return what is given as an array, Python's integers in 64 bits."""
    return globals()["asarray"](given)


def _sum_type(array):
    """Return the type in which a sum is taken where none is said: 64 bits for what is narrower; else None."""
    dtype = numpy.asarray(array).dtype
    if dtype.kind == "b" or (dtype.kind == "i" and dtype.itemsize < 8):
        return INT
    return numpy.uint64 if dtype.kind == "u" and dtype.itemsize < 8 else None


def _summing(function):
    """A function that sums, or multiplies, along an array."""

    @functools.wraps(function)
    def summed(array, *given, **named):
        if named.get("dtype") is None and named.get("out") is None:
            wide = _sum_type(array)
            if wide is not None:
                named["dtype"] = wide
        return function(array, *given, **named)

    return summed


class _Function:
    """A function of numbers with what it works by along arrays: places in the type of the machine, sums in 64 bits."""

    def __init__(self, function, sums):
        self._function = function
        self.reduce, self.accumulate = function.reduce, function.accumulate
        self.reduceat = lambda array, places, *given, **named: function.reduceat(
            array, _counts(places), *given, **named
        )
        if sums:
            self.reduce, self.accumulate, self.reduceat = map(_summing, (self.reduce, self.accumulate, self.reduceat))

    def at(self, array, places, *values):
        several = isinstance(places, tuple)
        self._function.at(array, tuple(map(_place, places)) if several else _place(places), *values)

    def __call__(self, *given, **named):
        return self._function(*given, **named)

    def __getattr__(self, name):
        return getattr(self._function, name)


def _place(value):
    return value if isinstance(value, slice | type(None) | type(Ellipsis)) else _counts(value)


for _name in ("add", "multiply", *ALONG):
    globals()[_name] = _Function(getattr(numpy, _name), _name not in ALONG)
sum, prod, cumsum, cumprod, trace = map(_summing, (numpy.sum, numpy.prod, numpy.cumsum, numpy.cumprod, numpy.trace))
for _name in (
    *(
        "argmax",
        "argmin",
        "argpartition",
        "argsort",
        "argwhere",
        "count_nonzero",
        "diag_indices",
        "digitize",
        "flatnonzero",
        "indices",
    ),
    *("lexsort", "nonzero", "searchsorted", "tril_indices", "triu_indices"),
):
    globals()[_name] = _placing(_name)
for _name in (
    *("array", "asanyarray", "asarray", "ascontiguousarray", "atleast_1d", "atleast_2d", "broadcast_to", "empty"),
    *("eye", "fromiter", "full", "ones", "tile", "zeros"),
):
    globals()[_name] = _making(_name)


def _joining(name):
    """A function that joins arrays, and lists of Python's integers as arrays of 64 bits."""
    function = getattr(numpy, name)

    @functools.wraps(function)
    def joined(arrays, *given, **named):
        return function(arrays if _is_array(arrays) else [*map(_values, arrays)], *given, **named)

    return joined


for _name in ("column_stack", "concatenate", "hstack", "stack", "vstack"):
    globals()[_name] = _joining(_name)


def append(array, values, axis=None):
    return numpy.append(_values(array), _values(values), axis)


def select(conditions, choices, default=0):
    return numpy.select(conditions, [*map(_values, choices)], _values(default))


def arange(*given, dtype=None):
    """Whole numbers in 64 bits, unless one of the ends is none."""
    whole = all(isinstance(each, int | numpy.integer) for each in given)
    return numpy.arange(*given, dtype=INT if dtype is int or (dtype is None and whole) else dtype)


def where(condition, *two):
    found = numpy.where(condition, *(INT(each) if type(each) is int and abs(each) > LARGEST else each for each in two))
    if not two:
        return _widened(found)
    return found if any(_is_array(each) and each.dtype == MACHINE for each in two) else _widened(found)


def unique(array, *given, **named):
    """The values in the type of the array, their places and counts in 64 bits."""
    found = numpy.unique(_values(array), *given, **named)
    if not isinstance(found, tuple):
        return found
    values, *places = found
    return (values, *map(_widened, places))


def repeat(array, repeats, axis=None):
    return numpy.repeat(_values(array), _counts(repeats), axis)


def _counts(values):
    """Return whole numbers in the type of the machine, in which it counts.

    Raises:
        MemoryError: one is too large for it.
    """
    values = numpy.asarray(values)
    wide = values.dtype.kind in "iu" and not numpy.can_cast(values.dtype, MACHINE, "safe")
    if not wide:
        return values
    if values.size and values.max() > LARGEST:
        raise MemoryError("more than the memory of this page can hold")
    return values.astype(MACHINE)


def bincount(index, weights=None, minlength=0):
    return _widened(numpy.bincount(_counts(index), weights, int(minlength)))


def unravel_index(places, shape):
    """The subscripts of places, worked out here, for NumPy takes none beyond the memory of the machine."""
    shape = (int(shape),) if isinstance(shape, int | numpy.integer) else tuple(map(int, shape))
    rest = numpy.asarray(places, dtype=INT)
    if rest.size and (rest.min() < 0 or rest.max() >= math.prod(shape)):
        raise ValueError(f"a place is out of bounds for array with size {math.prod(shape)}")
    found = []
    for size in reversed(shape):
        found.append(rest % size)
        rest = rest // size
    return tuple(each if each.ndim else each[()] for each in reversed(found))


def ravel_multi_index(subscripts, shape):
    """The places of subscripts, as `unravel_index` takes them."""
    place = INT(0)
    for given, size in zip(subscripts, shape, strict=True):
        each = numpy.asarray(given, dtype=INT)
        if each.size and (each.min() < 0 or each.max() >= size):
            raise ValueError("invalid entry in coordinates array")
        place = place * INT(size) + each
    return place


# ---- methods ----------------------------------------------------------------------------------------------------


def _searchsorted(array, *given, **named):
    return _widened(array.searchsorted(*given, **named))


def _astype(array, dtype, *given, **named):
    return array.astype(INT if dtype is int else dtype, *given, **named)


def _method(name, of_array):
    """A method of arrays; what is none goes by its own."""

    def called(value, *given, **named):
        if _is_array(value):
            return of_array(value, *given, **named)
        if hasattr(value, "tocsr") and name == "sum" and "dtype" not in named:
            wide = _sum_type(numpy.empty(0, value.dtype))
            named |= {} if wide is None else {"dtype": wide}
        return getattr(value, name)(*given, **named)

    return called


METHODS = {
    name: _method(name, globals()[name])
    for name in ("argmax", "argmin", "argsort", "cumprod", "cumsum", "nonzero", "prod", "repeat", "sum", "trace")
} | {"searchsorted": _method("searchsorted", _searchsorted), "astype": _method("astype", _astype)}
