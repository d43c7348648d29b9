"""The part of YAML that topologies are written in: maps and lists in blocks or in brackets, texts, quotes, comments.

Anchors, tags and texts over several lines are none of it and are refused.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import define

from unifiedbus_dsl.importer.listing import ImportFailed

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#\[\]{},:&*!|>'"%@`][^#]*?)\s*:(?:\s+|$)""")
DEEPEST = 64


@define
class _Line:
    number: int
    indent: int
    text: str


def load(text: str) -> Any:
    """Return the data of a text.

    Raises:
        ImportFailed: it is not of this part of YAML.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = _without_comment(line)
        if bare.strip() and bare.strip() not in ("---", "..."):
            lines.append(_Line(number, len(bare) - len(bare.lstrip(" ")), bare.strip()))
    if not lines:
        return None
    value, rest = _block(lines, 0, lines[0].indent, 0)
    if rest < len(lines):
        raise ImportFailed(f"line {lines[rest].number}: its indentation fits nothing above")
    return value


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line.rstrip()
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (place == 0 or line[place - 1] in " [{,:"):
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place].rstrip()
    return line.rstrip()


def _block(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[Any, int]:
    """Return the value that begins at a line of this indentation, and the line after it."""
    if depth > DEEPEST:
        raise ImportFailed(f"line {lines[at].number}: nested too deep")
    if lines[at].text == "-" or lines[at].text.startswith("- "):
        return _list(lines, at, indent, depth)
    if _KEY.match(lines[at].text):
        return _map(lines, at, indent, depth)
    if at + 1 < len(lines) and lines[at + 1].indent > indent:
        raise ImportFailed(f"line {lines[at].number}: a text over several lines is not read here")
    return _scalar(lines[at]), at + 1


def _list(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[list[Any], int]:
    items = []
    while at < len(lines) and lines[at].indent == indent and (lines[at].text == "-" or lines[at].text.startswith("- ")):
        line = lines[at]
        inside = line.text[1:].lstrip()
        if not inside:
            if at + 1 < len(lines) and lines[at + 1].indent > indent:
                value, at = _block(lines, at + 1, lines[at + 1].indent, depth + 1)
            else:
                value, at = None, at + 1
        else:  # what stands behind the dash is a block of its own, further in
            lines[at] = _Line(line.number, indent + len(line.text) - len(inside), inside)
            value, at = _block(lines, at, lines[at].indent, depth + 1)
        items.append(value)
    return items, at


def _map(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[dict[str, Any], int]:
    entries: dict[str, Any] = {}
    while at < len(lines) and lines[at].indent == indent:
        line = lines[at]
        match = _KEY.match(line.text)
        if match is None:
            break
        key, rest = str(_value(match[1], line)), line.text[match.end() :]
        if key in entries:
            raise ImportFailed(f"line {line.number}: `{key[:40]}` stands twice")
        if rest:
            entries[key] = _scalar(_Line(line.number, indent, rest))
            at += 1
        elif at + 1 < len(lines) and (
            lines[at + 1].indent > indent or (lines[at + 1].indent == indent and lines[at + 1].text.startswith("-"))
        ):
            entries[key], at = _block(lines, at + 1, lines[at + 1].indent, depth + 1)
        else:
            entries[key] = None
            at += 1
    return entries, at


def _scalar(line: _Line) -> Any:
    if line.text[:1] in "[{":
        value, end = _flow(line.text, 0, line, 0)
        if line.text[end:].strip():
            raise ImportFailed(f"line {line.number}: there is something behind the bracket")
        return value
    return _value(line.text, line)


def _flow(text: str, at: int, line: _Line, depth: int) -> tuple[Any, int]:
    """Return a value in brackets, and the place after it."""
    if depth > DEEPEST:
        raise ImportFailed(f"line {line.number}: nested too deep")
    at = _space(text, at)
    if at < len(text) and text[at] in "[{":
        close = "]" if text[at] == "[" else "}"
        items: list[Any] = []
        pairs: dict[str, Any] = {}
        at = _space(text, at + 1)
        while at < len(text) and text[at] != close:
            value, at = _flow(text, at, line, depth + 1)
            at = _space(text, at)
            if close == "}" and at < len(text) and text[at] == ":":
                pairs[str(value)], at = _flow(text, at + 1, line, depth + 1)
                at = _space(text, at)
            else:
                items.append(value)
            if at < len(text) and text[at] == ",":
                at = _space(text, at + 1)
            elif at < len(text) and text[at] != close:
                raise ImportFailed(f"line {line.number}: `{text[at : at + 20]}` has no meaning in brackets")
        if at >= len(text):
            raise ImportFailed(f"line {line.number}: a bracket is not closed")
        return (pairs if close == "}" else items), at + 1
    match = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^,\[\]{}:]|:(?!\s))*)""").match(text, at)
    assert match is not None
    if match.end() == at and at < len(text) and text[at] not in ":,]}":
        raise ImportFailed(f"line {line.number}: `{text[at : at + 20]}` has no meaning here")
    return _value(match[1].strip(), line), match.end()


def _space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _value(text: str, line: _Line) -> Any:
    text = text.strip()
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text[1:-1])
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] in ("&", "*", "!", "|", ">", "%", "@", "`"):
        raise ImportFailed(
            f"line {line.number}: `{text[:20]}`: anchors, tags and texts over several lines are not read"
        )
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
