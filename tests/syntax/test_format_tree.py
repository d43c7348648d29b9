"""How canonical text looks, and that comments, documentation and meaning survive it."""

from __future__ import annotations

import random
from collections import Counter

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.strategies import files
from tests.syntax import texts
from tests.syntax.reading import read, read_with_errors, value
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.expression_text import expression
from unifiedbus_dsl.syntax.format import FormatError, format

TEXTS = {name: text for name, text in vars(texts).items() if name.isupper()}
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60, derandomize=True)


def comments(file: tree.File) -> Counter[str]:
    return Counter(comment.text for comment in file.comments)


@pytest.mark.parametrize("name", TEXTS)
def test_the_examples_keep_their_meaning_and_their_comments(name: str) -> None:
    file = read(TEXTS[name])
    text = format(file)
    assert read(text) == file
    assert comments(read(text)) == comments(file)
    assert format(read(text)) == text


MESSY = """\
# first
   # second
ubus   1 # edition
# about the lanes
protocol UB{lane=112Gbps;latency = 100 ns} # lanes


## A chip.
##  Two lines.
npu   Chip ( n=4,k , )  {   # the chip
     # in front


     port x[7]:UB x4 # board
     port up [ 4 ]   : UB x4   @open
     fp8=1 PFLOPS
     memory = 144 GB # large

     expect  lanes( ports )==n*4+k/2-(1+2)   # sum
     # behind
}
rack R {
  npu[8]:Chip
  connect npu[b] # inner
    -- plane[8*b+s]
    over Copper(1 m) # last
  if n==1 { a : T } # one
  else { # other
    b : T
    # end
  }
  if m { a : T } else if k { b : T } else { c : T }
  place a as grid(
     # columns
     columns = 16,
  )
}
npu Empty { }
npu Noted {
  # only this
}
# at the end
"""

TIDY = """\
# first
# second
ubus 1  # edition

# about the lanes
protocol UB { lane = 112 Gbps; latency = 100 ns }  # lanes

## A chip.
##  Two lines.
npu Chip(n = 4, k) {  # the chip
  # in front

  port x[7]  : UB x4  # board
  port up[4] : UB x4 @open
  fp8    = 1 PFLOPS
  memory = 144 GB  # large

  expect lanes(ports) == n*4 + k/2 - (1 + 2)  # sum
  # behind
}
rack R {
  npu[8] : Chip
  # inner
  connect npu[b] -- plane[8*b + s] over Copper(1 m)  # last
  if n == 1 {
    a : T  # one
  } else {  # other
    b : T
    # end
  }
  if m { a : T } else if k { b : T } else { c : T }
  # columns
  place a as grid(columns = 16)
}
npu Empty {}
npu Noted {
  # only this
}
# at the end
"""


def test_the_look_of_canonical_text() -> None:
    assert format(read(MESSY)) == TIDY
    assert format(read(TIDY)) == TIDY


def test_a_chain_of_conditions() -> None:
    text = "ubus 1\n\nrack R {\n  if a {\n    x : T\n  } else if b {\n    y : T\n  } else {\n    z : T\n  }\n}\n"
    assert format(read(text)) == text
    assert format(read(text.replace("else if b {", "else { if b {").replace("  }\n}\n", "  } }\n}\n"))) == text


def test_a_documented_condition_keeps_its_own_block() -> None:
    text = "ubus 1\n\nrack R {\n  if a {\n    x : T\n  } else {\n    ## why\n    if b { y : T }\n  }\n}\n"
    assert format(read(text)) == text


ROWS = """\
ubus 1
let t = [[1, 2],
 [3,4] ]
let flat = [1,
2]
npu N {
  a = [[1], [2]]
  bb = [[1],
    [2]] # last
}
"""

ROWS_LAID_OUT = """\
ubus 1

let t = [
  [1, 2],
  [3, 4]
]
let flat = [1, 2]
npu N {
  a  = [[1], [2]]
  bb = [
    [1],
    [2]
  ]  # last
}
"""


def test_tables_keep_their_rows() -> None:
    assert format(read(ROWS)) == ROWS_LAID_OUT
    assert format(read(ROWS_LAID_OUT)) == ROWS_LAID_OUT


def test_long_lists_are_filled() -> None:
    row = f"[{', '.join(str(n) for n in range(100, 140))}]"
    long = format(read(f"ubus 1\nlet long = {row}\nlet deep = [{row}, {row}]\nlet last = [{row}]\n"))
    lines = long.splitlines()[2:]
    assert max(map(len, lines)) <= 120
    outer = [line for line in lines if not line.startswith(" ")]
    assert outer == ["let long = [", "]", "let deep = [", "]", "let last = [", "]"]
    assert long.count("  [\n    100, ") == 3
    assert long.count("139\n  ],\n  [") == 1
    assert format(read(long)) == long


def test_a_long_connect_is_broken_before_its_clauses() -> None:
    ends = f"connect {'a' * 50}[i] -- {'b' * 40}[i]"
    text = f"ubus 1\n\nrack R {{\n  {ends} over Copper(1 m) for i, j where i < j @open  # long\n}}\n"
    broken = (
        f"ubus 1\n\nrack R {{\n  {ends}\n      over Copper(1 m)\n      for i, j\n      where i < j @open  # long\n}}\n"
    )
    assert format(read(text)) == broken
    assert format(read(broken)) == broken


def test_a_long_block_is_broken_into_statements() -> None:
    fields = [f"{'f' * 20}{n} = {n}" for n in range(6)]
    text = format(read(f"ubus 1\nprotocol P {{ {'; '.join(fields)} }}\n"))
    assert text == "ubus 1\n\nprotocol P {\n" + "".join(f"  {field}\n" for field in fields) + "}\n"
    assert format(read(text)) == text


def test_a_sign_inside_a_shape_is_not_the_one_that_is_lined_up() -> None:
    text = 'ubus 1\n\nrack R {\n  a["b : c"] : T\n  longer[1] : T\n}\n'
    assert format(read(text)) == 'ubus 1\n\nrack R {\n  a["b : c"] : T\n  longer[1]  : T\n}\n'


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("((a))+(b*c)", "a + b*c"),
        ("(a+b)*c", "(a + b) * c"),
        ("64*racks", "64 * racks"),
        ("a-(b-c)", "a - (b - c)"),
        ("4 GB / s", "4 GB / s"),
        ("4 GB / s + 1", "4 GB / s + 1"),
        ("512 MiB/n + 1", "512 MiB / n + 1"),
        ("-(-a)", "-(-a)"),
        ("(-a)^2", "(-a)^2"),
        ("-a^2", "-a^2"),
        ("a^(-b)", "a^-b"),
        ("not (not a)", "not not a"),
        ("(not a) == b", "(not a) == b"),
        ("if (a) then (if b then c else d) else e", "if a then if b then c else d else e"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("f((all npu where a), (b -> c))", None),
        ("f(all npu where a, b -> c)", "f(all npu where a, b -> c)"),
        ("(all npu).x", "(all npu).x"),
        ("(all npu where a) == b", "(all npu where a) == b"),
        ("a[ 0 .. 7 step 2,*,1..,0..<n ]", "a[0..7 step 2, *, 1.., 0..<n]"),
        ("{a=1,b=[1,2,],}", "{a = 1, b = [1, 2]}"),
        ("50 % of (a of b)", "50% of (a of b)"),
    ],
)
def test_expressions(text: str, canonical: str | None) -> None:
    if canonical is None:
        assert read_with_errors(f"ubus 1\nlet v = {text}\n")[1]
    else:
        assert expression(value(text)) == canonical
        assert value(canonical) == value(text)


@pytest.mark.parametrize(
    "text",
    [
        "rack R { connect a -- b for i in (all npu) where c }",
        "rack R { connect a -- b for i in 0..(all npu) where c }",
        "rack R { connect a -- b for i in 0..(2 * all npu) where c }",
        "scenario S of m { degrade a to (all npu) where c }",
        "scenario S of m { degrade all npu where a to 3 where c }",
        "scenario S of m { fail any (n + 1) of all npu where a }",
    ],
)
def test_a_filter_stays_with_its_owner(text: str) -> None:
    file = read(f"ubus 1\n\n{text}\n")
    assert format(file) == f"ubus 1\n\n{text}\n"


def test_a_damaged_file_is_refused() -> None:
    file, _ = read_with_errors("ubus 1\nlet a b\n")
    with pytest.raises(FormatError):
        format(file)


def test_a_tree_that_no_text_has_is_refused() -> None:
    span = Span(Source("made", ""), 0, 0)
    file = read("ubus 1\nlet a = 1\n")
    arrow = tree.Arrow(value("a"), value("b"), span=span)
    for odd in (arrow, tree.Name("for", span=span), tree.Name("a b", span=span), tree.Number("1e", span=span)):
        let = tree.Let(tree.Word("x", span=span), odd, span=span)
        with pytest.raises(FormatError):
            format(attrs.evolve(file, statements=(let,)))


def test_deep_trees_are_formatted() -> None:
    for deep in ("[" * 190 + "]" * 190, "f(" * 60 + ")" * 60, "-(" * 150 + "1" + ")" * 150, "a" + ".a" * 180):
        file = read(f"ubus 1\nlet a = {deep}\n")
        assert read(format(file)) == file


def test_windows_line_ends_become_plain_ones() -> None:
    assert format(read("\ufeff# c\r\nubus 1\r\n\r\n\r\nlet a = 1 # d\r\n## doc\r\nlet b = 2\r\n")) == (
        "# c\nubus 1\n\nlet a = 1  # d\n## doc\nlet b = 2\n"
    )


def sprinkled(text: str, draw: random.Random) -> str:
    """The text with comments on lines of their own and at ends of lines."""
    lines = []
    for line in text.split("\n"):
        while draw.random() < 0.2:
            lines.append(f"{'  ' * draw.randrange(3)}# own {draw.randrange(1000)}")
        if draw.random() < 0.1:
            lines.append("")
        # A line of documentation has no end of its own to put a comment at.
        is_doc = line.lstrip().startswith("##")
        lines.append(line if is_doc or draw.random() < 0.7 else f"{line} # end {draw.randrange(1000)}")
    return "\n".join(lines)


@pytest.mark.parametrize("name", TEXTS)
def test_comments_anywhere_in_a_text_are_kept(name: str) -> None:
    draw = random.Random(22)
    for _ in range(15):
        file = read(sprinkled(TEXTS[name], draw))
        text = format(file)
        assert comments(read(text)) == comments(file)
        assert format(read(text)) == text


@given(files, st.integers(0, 99))
@steady
def test_comments_in_generated_texts_are_kept(file: tree.File, seed: int) -> None:
    noted = read(sprinkled(format(file), random.Random(seed)))
    assert noted == file
    text = format(noted)
    assert comments(read(text)) == comments(noted)
    assert format(read(text)) == text
