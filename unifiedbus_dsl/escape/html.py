"""Text in HTML pages (html.spec.whatwg.org: 13.1.2 Elements, 4.12.1.3 Restrictions for contents of script elements)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from unifiedbus_dsl.escape import json
from unifiedbus_dsl.escape.xml import printable

_PLACE = re.compile("@([A-Z]+)@")


def text(value: str) -> str:
    """Return the text as the content of an element or of an attribute in quotes."""
    return escape(printable(value))


def script_data(data: Any) -> str:
    """Return JSON that stays data wherever it stands in a page: no `<`, so nothing in it can end a script."""
    return json.compact(data).replace("<", "\\u003c").replace("&", "\\u0026")


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with these parts in the places `@NAME@`. Places in what was put there are none."""
    return _PLACE.sub(lambda place: parts.get(place[1], place[0]), page)


def source_hash(script: str) -> str:
    """Return how a content security policy names a script: by its hash (w3.org/TR/CSP3, 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
