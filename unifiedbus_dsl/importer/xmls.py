"""XML that may be cut off: what is whole of it."""

from __future__ import annotations

from xml.etree import ElementTree

from unifiedbus_dsl.importer.doubts import CUT_OFF, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source


def xml_root(source: Source, doubts: Doubts) -> ElementTree.Element:
    """Return the outermost element; of a file that is cut off, with what is whole.

    Raises:
        ImportFailed: it is no XML.
        OSError: the file can't be read.
    """
    root: ElementTree.Element | None = None
    try:
        with source.xml() as stream:
            for _, element in ElementTree.iterparse(stream, ("start",)):
                root = element if root is None else root
            strange = stream.before.strip("\ufeff \r\n\t")
            if strange:
                doubts.add(STRANGE, 1, f"{shown(strange)} before the first bracket")
    except ElementTree.ParseError as error:
        if root is None:
            raise ImportFailed(f"`{source.title}` is no XML: {error}") from error
        doubts.add(CUT_OFF, error.position[0], f"the file is no XML from here: {error}")
    if root is None:
        raise ImportFailed(f"`{source.title}` is empty")
    return root
