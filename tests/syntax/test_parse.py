"""What the texts of the language mean as trees."""

from __future__ import annotations

import pytest

from tests.syntax import texts
from tests.syntax.reading import found, in_body, read, statement, value
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.expression_text import expression

EXAMPLES = {name: text for name, text in vars(texts).items() if name.isupper()}


def shown(node: tree.Expr) -> str:
    """The nesting of an expression, one bracket a node."""
    match node:
        case tree.Binary():
            return f"({shown(node.left)} {node.op} {shown(node.right)})"
        case tree.Unary():
            return f"({node.op} {shown(node.operand)})"
        case tree.Compare():
            within = "" if node.within is None else f" within {shown(node.within)}"
            return f"({shown(node.left)} {node.op} {shown(node.right)}{within})"
        case tree.Quantity():
            return f"<{node.number.text} {node.unit}{' bidir' if node.bidir else ''}>"
        case _:
            return expression(node)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_read_without_error(name: str) -> None:
    assert read(EXAMPLES[name]).statements


def test_a_file_in_full() -> None:
    file = read(texts.SMALL)
    assert file.edition is not None
    assert file.edition.text == "1"
    kinds = [type(found).__name__ for found in file.statements]
    assert kinds == ["ProtocolDef", "LinkDef"] + ["TypeDef"] * 3 + ["System", "Traffic", "Analyze", "Scenario", "View"]
    cabinet = file.statements[4]
    assert isinstance(cabinet, tree.TypeDef)
    assert [type(found).__name__ for found in cabinet.body] == ["Instance"] * 2 + [
        "ConnectPattern",
        "Connect",
        "Expect",
    ]
    assert [comment.text for comment in file.comments] == [
        "# per lane, each direction",
        "# board mesh",
        "# one per switch plane",
        "# board, slot",
    ]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a div b mod c", "((a div b) mod c)"),
        ("-x ^ 2", "(- (x ^ 2))"),
        ("2 ^ -1 ^ x", "(2 ^ (- (1 ^ x)))"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("not a == b", "(not (a == b))"),
        ("70% of base + 1", "((<70 %> of base) + 1)"),
        ("a >= 98% of base", "(a >= (<98 %> of base))"),
        ("a == b within 2%", "(a == b within <2 %>)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a - (b - c)", "(a - (b - c))"),
    ],
)
def test_operators_bind_as_people_read_them(text: str, meaning: str) -> None:
    assert shown(value(text)) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("112 GB/s", "<112 GB/s>"),
        ("4.5 ns/m", "<4.5 ns/m>"),
        ("512 MiB/n", "(<512 MiB> / n)"),
        ("512 MiB / s", "(<512 MiB> / s)"),
        ("2 TB/s bidir", "<2 TB/s bidir>"),
        ("93.75%", "<93.75 %>"),
        ("112 GBps", "<112 GBps>"),
        ("3 furlong", "<3 furlong>"),
        ("3 furlong/s", "<3 furlong/s>"),
        ("5 µs", "<5 µs>"),
        ("0x10", "<0 x10>"),
        ("1EB", "<1 EB>"),
        ("1_000 B", "<1_000 B>"),
        ("8 div 2", "(8 div 2)"),
        ("8 mod b", "(8 mod b)"),
        ("4 GB of x", "(<4 GB> of x)"),
    ],
)
def test_a_unit_stands_directly_behind_its_number(text: str, meaning: str) -> None:
    assert shown(value(text)) == meaning


def test_a_unit_does_not_reach_over_the_line_end() -> None:
    first, second = statement("rack R {\n n = 3\n m : T\n}").body
    assert first.value == value("3")
    assert isinstance(second, tree.Instance)


def test_words_of_the_language_stay_usable_as_names() -> None:
    for word in ("npu", "rack", "port", "link", "connect", "spare", "open", "to", "by", "in", "any", "keep", "cables"):
        assert in_body(f"{word}[2] : T").name.text == word
        assert in_body(f"port {word} : UB x4").name.text == word
        assert in_body(f"{word} = 3").name.text == word
        assert value(word) == value("a").__class__(text=word, span=value("a").span)


def test_any_word_stands_behind_a_dot_and_names_an_argument() -> None:
    for word in ("if", "over", "where", "all", "step", "let", "true"):
        assert value(f"a.{word}").name.text == word
        assert value(f"f({word} = 1)").args[0].name.text == word


def test_a_width_is_one_only_behind_a_protocol() -> None:
    port = in_body("port x4[2] : x4 x4")
    assert (port.name.text, port.protocol.text, port.lanes.text) == ("x4", "x4", "4")
    assert port.lanes.span.text == "4"


@pytest.mark.parametrize(
    "text",
    [
        "connect a -- b over X(1 m) for i, j where i < j",
        "connect a\n  -- b\n  over X(1 m)\n  for i, j\n  where i < j",
        "connect a -- b\n\n # between\n over X(1 m)\n ## more\n for i, j where i < j",
        "connect a --\n  b over X(\n1 m\n) for i,\n j where i <\n j",
        "connect a -- b over X(1 m) for i, j where i < j;",
        "connect a -- b\r\n over X(1 m)\r\n for i, j where i < j\r",
    ],
)
def test_one_statement_however_its_lines_are_broken(text: str) -> None:
    assert in_body(text) == in_body("connect a -- b over X(1 m) for i, j where i < j")


def test_a_name_that_could_go_on_with_the_line_above_is_a_name_where_it_names() -> None:
    expect, instance = statement("rack R {\n expect a\n differs : T\n}").body
    assert expect.differs is None
    assert instance.name.text == "differs"
    assert in_body('expect a\n differs "b"').differs.value == "b"


def test_semicolons_end_statements_too() -> None:
    file = read("ubus 1;; let a = 1;; \n;\n let b = 2 ; let c = 3;")
    assert [let.name.text for let in file.statements if isinstance(let, tree.Let)] == ["a", "b", "c"]


def test_a_filter_belongs_to_what_it_stands_behind() -> None:
    items = statement(
        "scenario s of m {\nfail any 64 of all link where a\nfail b where c\ndegrade all link where d to 3 where e\n}"
    ).items
    assert items[0].where is None
    assert items[0].targets[0].where == value("a")
    assert items[0].quota == value("64")
    assert items[1].where == value("c")
    assert items[2].targets[0].where == value("d")
    assert items[2].where == value("e")


def test_both_filters_of_a_degrade_hold_for_a_path() -> None:
    (degrade,) = statement("scenario s of m { degrade a where b to 3 where c }").items
    assert shown(degrade.where) == "(b and c)"


def test_documentation_goes_to_the_statement_below() -> None:
    above = "##  two\n##\n# no doc\n## three\n"
    file = read(f"ubus 1\n\n{above}npu A {{\n  ## port\n  port p : UB x4 ## not doc\n}}\n## loose\n")
    (npu,) = file.statements
    assert npu.doc == " two\n\nthree"
    assert isinstance(npu, tree.TypeDef)
    assert npu.body[0].doc == "port"
    assert [comment.text for comment in file.comments] == ["# no doc", "## not doc", "## loose"]


def test_rows_of_hashes_are_comments() -> None:
    file = read("ubus 1\n#######\n### a\nlet a = 1\n")
    assert file.statements[0].doc is None
    assert len(file.comments) == 2


def test_strings_know_four_escapes() -> None:
    assert value(r'"a\"b\\c\nd\te\q"').value == 'a"b\\c\nd\te\\q'


def test_spans_are_tight() -> None:
    text = "ubus 1\nrack R {\n  npu[2] : T(k = 3)  # here\n  expect a ==\n    b\n}\n"
    (rack,) = read(text).statements
    assert isinstance(rack, tree.TypeDef)
    assert [node.span.text for node in rack.body] == ["npu[2] : T(k = 3)", "expect a ==\n    b"]
    assert rack.span.text == text[7:-1]
    assert rack.body[0].type.span.text == "T(k = 3)"  # type: ignore[union-attr]


def test_trees_that_differ_in_layout_only_are_equal() -> None:
    assert read("ubus 1\nlet a=(1+2)*3;let b=[1,2,]") == read("ubus 1\n\n\nlet a = (1 + 2) * 3 # c\nlet b = [1, 2]\n")
    assert read("ubus 1\nlet a = 1") != read("ubus 1\nlet a = 2")


def test_the_edition_comes_first() -> None:
    assert found("# a comment\nlet a = 1\n") == [("UB0105", 2, "")]
    assert found("") == [("UB0105", 1, "")]
    assert found("ubus 7\nlet a = 1\n") == [("UB0106", 1, "7")]
    assert found("\ufeff# a comment\r\n\r\nubus 1\r\n") == []
