# ruff: noqa: E501
"""Texts that are broken, or written at random by the grammar, and bytes that are flipped."""

from __future__ import annotations

import random
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\w+|\s+|--|\.\.<?|[^\w\s]")
_WORD = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\w\s]")
ODD = (
    "0", "-1", "1e40", "9" * 40, "18446744073709551616", "9223372036854775808", "1/0", "0.5", "1_000_000", "é", "\u202e",
    "\0", '"', "'", "[", "]", "(", ")", "{", "}", "{}", "()", "..", "*", "true", "all", "all npu", "if true then 1 else 2",
    "throughput()", "count(all npu)", "bisection(all npu)", "ring", "fullmesh", "has", "to", "by", "0 m", "0 Gbps", "0%",
    "1e-40", "(1, 2)", "[1, 2]", "[]", "n", "i", "x" * 300, "# ", "\n", ";", "extends", "where", "for i", "mod 0", "div 0",
)  # fmt: skip


def seeds() -> list[str]:
    """Whole texts to begin with: the specs, the faulty texts, the examples of the manual, what was found before."""
    found = [path.read_text() for folder in ("specs", "tests/bad", "tests/fuzz") for path in sorted((ROOT / folder).rglob("*.ubus"))]  # fmt: skip
    for page in sorted((ROOT / "tests" / "lang").glob("*.md")):
        found += re.findall(r"^```ubus[^\n]*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [text for text in found if len(text) < 12_000]


def broken_text(draw: random.Random, text: str) -> str:
    """A text with one to six things changed in it."""
    tokens = _TOKEN.findall(text)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        if not tokens:
            break
        at = draw.randrange(len(tokens))
        match draw.randrange(9):
            case 0:
                del tokens[at]
            case 1:
                tokens[at] = draw.choice(ODD)
            case 2:
                tokens.insert(at, draw.choice(ODD))
            case 3:
                other = draw.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 4:
                tokens.insert(at, tokens[draw.randrange(len(tokens))])
            case 5:
                del tokens[at : at + draw.randrange(1, 40)]
            case 6:
                end = at + draw.randrange(1, 40)
                tokens[at:at] = tokens[at:end]
            case 7:
                numbers = [n for n, token in enumerate(tokens) if token[0].isdigit()]
                if numbers:
                    tokens[draw.choice(numbers)] = draw.choice(ODD[:9])
            case _:
                tokens[at : at + 1] = list(tokens[at][: draw.randrange(len(tokens[at]) + 1)])
    return "".join(tokens)


_GRAMMAR = (ROOT / "grammar" / "ubus.lark").read_text()
_RULE = re.compile(r"^[?]?(\w+):((?:.*)(?:\n[ ]+\|.*)*)", re.MULTILINE)
_RULES = {
    name: [re.sub(r"->\s*\w+", "", way).strip() for way in re.split(r"\n\s*\||\s\|\s(?![^(\[]*[)\]])", body)]
    for name, body in _RULE.findall(re.sub(r"//.*", "", _GRAMMAR))
}
_TERMINALS = {
    "NAME": ("a", "b", "npu", "Chip", "R", "s", "UB", "Copper", "x", "p"), "NUMBER": ("0", "1", "2", "8", "3.5", "1e30"),
    "UNIT": ("Gbps", "m", "ns", "GB/s", "%", "USD"), "STRING": ('"x"', '""'), "WIDTH": ("x4", "x1", "x0"), "_NL": ("\n",),
    "_LBRACE": ("{",), "_RECORD": ("{",), "KIND": ("npu", "switch", "rack", "superpod", "nic"), "NOT": ("not",),
    "EQUAL": ("==",), "UNEQUAL": ("!=",), "AT_MOST": ("<=",), "AT_LEAST": (">=",), "LESS": ("<",), "MORE": (">",),
    "PLUS": ("+",), "MINUS": ("-",), "TIMES": ("*",), "DIVIDE": ("/",), "POWER": ("^",),
}  # fmt: skip
_PART = re.compile(r'"[^"]*"|\w+|[\[\](){}|?*+]')


def written(draw: random.Random) -> str:
    """A text that the grammar writes: it parses more often than not, and seldom means anything."""
    lines = ["ubus 1"]
    for _ in range(draw.randrange(1, 8)):
        lines.append(_written(draw, draw.choice(_alternatives("_item")), 0))
    return "\n".join(lines) + "\n"


def _alternatives(name: str) -> list[str]:
    return [way for way in _RULES.get(name, [""]) if way or name in ("binders", "annotations")] or [""]


def _written(draw: random.Random, way: str, depth: int) -> str:
    out: list[str] = []
    parts = _PART.findall(way)
    at = 0
    while at < len(parts):
        part = parts[at]
        if part in "[(":
            close, level = at + 1, 1
            while close < len(parts) and level:
                level += (parts[close] in "[(") - (parts[close] in "])")
                close += 1
            inner = " ".join(parts[at + 1 : close - 1])
            many = parts[close] if close < len(parts) and parts[close] in "*+?" else ""
            least = 0 if part == "[" or many in ("*", "?") else 1
            for _ in range(draw.randrange(least, 3 if many in ("*", "+") else 2)):
                out.append(_written(draw, draw.choice(re.split(r"\s\|\s", inner)), depth + 1))
            at = close + bool(many)
            continue
        at += 1
        if part in "|?*+)]":
            continue
        if part.startswith('"'):
            out.append(part[1:-1])
        elif part in _TERMINALS:
            out.append(draw.choice(_TERMINALS[part]))
        elif part in _RULES and depth < 40:
            ways = _alternatives(part)
            out.append(_written(draw, min(ways, key=len) if depth > 14 else draw.choice(ways), depth + 1))
        else:
            out.append(part.lower() if part.isupper() else "a")
    return " ".join(filter(None, out))


def broken_bytes(draw: random.Random, data: bytes) -> bytes:
    """Bytes with a few changes: flips, cuts, numbers made large, pieces twice."""
    made = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(max(1, len(made)))
        match draw.randrange(5):
            case 0 if made:
                made[at] ^= 1 << draw.randrange(8)
            case 1:
                del made[at : at + draw.randrange(1, 20)]
            case 2:
                made[at:at] = draw.choice(ODD).encode()
            case 3:
                made[at:at] = made[at : at + draw.randrange(1, 60)]
            case _:
                numbers = list(re.finditer(rb"\d+", bytes(made[at : at + 400])))
                if numbers:
                    hit = draw.choice(numbers)
                    made[at + hit.start() : at + hit.end()] = draw.choice(ODD[:9]).encode()
    return bytes(made)
