"""Machines from the files of other tools: what sites have, read as it is found.

    from unifiedbus_dsl.importer import read_fabric
    fabric = read_fabric("discovered.txt")        # to be solved and drawn like any other

A format gives a table of claims (`formats`), which are settled into a machine (`settle`), whose devices are told apart
(`kinds`), and which becomes a fabric under the names of the site (`reconstruct`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from xml.etree import ElementTree

from attrs import frozen

from unifiedbus_dsl.importer.doubts import Doubts
from unifiedbus_dsl.importer.kinds import Hosts, classify
from unifiedbus_dsl.importer.listing import ImportFailed, Listing
from unifiedbus_dsl.importer.reconstruct import reconstruct
from unifiedbus_dsl.importer.registry import FORMS, form_of
from unifiedbus_dsl.importer.settle import settle, without_aggregation
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import MOST_CABLES, Table
from unifiedbus_dsl.ir.fabric import Fabric

__all__ = ["FORMS", "Doubts", "Found", "Hosts", "ImportFailed", "read", "read_fabric", "read_source"]


@frozen(eq=False)
class Found:
    """A machine as a file tells of it, settled; `form` is the format it was read as, `doubts` is what is not sure."""

    table: Table
    form: str

    @property
    def doubts(self) -> Doubts:
        return self.table.doubts

    def listing(self) -> Listing:
        """Return it as a list, to be compared with others."""
        return self.table.listing()

    def fabric(self) -> Fabric:
        """Return it as a fabric.

        Raises:
            ImportFailed: the parts do not fit together.
        """
        return reconstruct(self.table)


def read(path: str | PathLike[str], form: str | None = None, hosts: Hosts | None = None) -> Found:
    """Return the devices and cables of a file.

    Args:
        path: the file.
        form: the name of its format; default: told from the content.
        hosts: how end points are known where the file does not say it.

    Raises:
        ImportFailed: it is in no known format, or nothing of it has a meaning.
        OSError: it can't be read.
    """
    return read_source(Source.of(Path(path)), form, hosts)


def read_source(source: Source, form: str | None = None, hosts: Hosts | None = None) -> Found:
    """Return the devices and cables of a source, as `read`."""
    from unifiedbus_dsl.importer.islands import tell_islands

    doubts = Doubts()
    with _failing(source):
        chosen = form_of(source, form)
        try:
            table: Table = chosen.reader.read(source, doubts)
        except (AttributeError, TypeError, KeyError, IndexError) as error:  # data of other types than the format has
            raise ImportFailed(f"`{source.title}` has another structure than {chosen.title}") from error
        if len(table) > 2 * MOST_CABLES:
            raise ImportFailed(f"`{source.title}` has more than {MOST_CABLES:,} cables: read a part of the machine")
        table = without_aggregation(settle(classify(table, hosts or Hosts())))
        tell_islands(table)
    return Found(table, chosen.name)


@contextmanager
def _failing(source: Source) -> Iterator[None]:
    """Say of everything that goes wrong which file it is in."""
    try:
        yield
    except RecursionError as error:
        raise ImportFailed(f"`{source.title}` is nested too deep") from error
    except ImportFailed:
        raise
    except (ValueError, ElementTree.ParseError) as error:  # ValueError: a number of too many digits, too
        raise ImportFailed(f"`{source.title}` can't be read: {error}") from error


def read_fabric(path: str | PathLike[str], form: str | None = None, hosts: Hosts | None = None) -> Fabric:
    """Return the machine of a file, to be solved and drawn like any other.

    Args:
        path: the file.
        form: the name of its format; default: told from the content.
        hosts: how end points are known where the file does not say it.

    Raises:
        ImportFailed: as `read`, or the parts do not fit together.
        OSError: it can't be read.
    """
    return read(path, form, hosts).fabric()
