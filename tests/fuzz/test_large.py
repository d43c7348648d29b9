"""No text keeps the compiler busy for long, or ends it in any way but a finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import large
from unifiedbus_dsl.compiler import Limits, compile, compile_text

SECONDS = 10
MEMORY = 2 << 30
FOUND = Path(__file__).parent / "found"
SMALL = 2_000
"""Bytes of a long text in the common tests: enough to see that it is made as it should be."""
LARGE = 8 * 2**10
"""Bytes of a long text in the slow tests."""
WHOLE = 4 * 2**20 - 4096
"""And of these kinds, which once took the longest: as long as a text may be."""
WHOLE_KINDS = frozenset(
    {"systems", "the same cables", "cables by index", "fields", "parts", "subscripts", "uses", "scenarios by cables"}
    | {"names nearly right", "transit lines", "measures", "arguments", "types in a chain", "cables to one part"}
    | {"lets in a chain", "lets that square", "lists that double", "brackets", "parameters", "scenarios in a chain"}
)
SHARED = frozenset(
    {"models in a chain", "sizes of a model", "arrays with holes", "one array with holes", "tables that are read"}
    | {"elements by argument", "patterns", "parameters that vary", "measured lets"}
    | {"ports nearly right", "failures of cables"}
)
"""And of these kinds, a third of it: as much as is read, and all of the work goes into what is made of it."""

UNBOUNDED = frozenset({"ports of 2^24, exported"})
"""Short texts that take more than MEMORY today, and end with a sentence about it and the status of a fault."""

_CHECK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from unifiedbus_dsl.cli import main
sys.exit(main(["check", sys.argv[1]]))
"""


def check(path: Path) -> subprocess.CompletedProcess[bytes]:
    """`ubusc check` of a file, within the time of the processor and the address space that it may take."""
    code = _CHECK.format(memory=MEMORY + (1 << 29), seconds=SECONDS)
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.ubus")), ids=lambda path: path.stem)
def test_a_text_that_once_was_too_much_is_refused_in_time(path: Path) -> None:
    done = check(path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(b"error[UB")


@pytest.mark.parametrize("name", sorted(large.LONG))
def test_short_forms_of_long_texts_end_in_findings(name: str) -> None:
    compile_text(large.LONG[name](SMALL))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(large.SHORT) - UNBOUNDED))
def test_a_short_text_that_asks_for_much_is_answered_in_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / "short.ubus"
    path.write_text(large.SHORT[name])
    assert check(path).returncode in (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(large.LONG))
def test_a_long_text_is_answered_in_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / "long.ubus"
    path.write_text(large.LONG[name](WHOLE if name in WHOLE_KINDS else WHOLE // 3 if name in SHARED else LARGE))
    done = check(path)
    assert done.returncode in (0, 1), done.stderr
    assert b"UB0110" not in done.stdout


def test_more_errors_than_the_limit_end_the_run_and_are_counted() -> None:
    text = large.BASE + "".join(f"let a{n} = b{n}\n" for n in range(50))
    few = compile_text(text, limits=Limits(errors=7)).diagnostics
    assert [d.code for d in few].count("UB0201") == 7
    assert few[-1].code == "UB0234"
    assert "more than 7 errors" in few[-1].message
    all_of_them = compile_text(text, limits=Limits(errors=50)).diagnostics
    assert [d.code for d in all_of_them].count("UB0201") == 50
    assert not any(d.code == "UB0234" for d in all_of_them)


def test_more_warnings_than_the_limit_are_counted_and_no_error() -> None:
    text = large.BASE + "".join(f"let a{n} = {n}\n" for n in range(50))
    made = compile_text(text, limits=Limits(errors=7))
    assert made.ok
    assert [d.code for d in made.diagnostics] == ["UB0208"] * 7 + ["UB0234"]
    assert "43 more warnings" in made.diagnostics[-1].message


def test_work_beyond_the_limit_says_which_line_asks_for_it() -> None:
    cables = "connect a[i, j].y[0] -- a[j, i].y[1] over L(1 m) for i, j where i < j"
    text = f"{large.HEAD}{large.OPEN}rack R {{\na[100, 100] : W\n{cables}\n}}\nsystem s : R\n"
    (found,) = compile_text(text, limits=Limits(work=90_000)).diagnostics
    assert found.code == "UB0411"
    assert "more than 90,000 steps" in found.message
    assert "--max-work" in found.help[0]
    assert found.primary is not None
    assert found.primary.span.line >= 6
    assert not any(d.code == "UB0411" for d in compile_text(text).diagnostics)


@pytest.mark.parametrize(("size", "islands"), [(3, 6), (40, 820)])
def test_islands_are_counted_however_many(size: int, islands: int) -> None:
    """Elements on the diagonal stay alone, the others are joined in pairs: n + n (n - 1) / 2 islands."""
    text = large._machine(
        f"a[{size}, {size}] : W; connect a[i, j].y[0] -- a[j, i].y[1] over L(1 m) for i, j where i < j"
    )
    found = next(d for d in compile_text(text).diagnostics if d.code == "UB0509")
    assert islands == size + size * (size - 1) // 2
    assert f"falls into {islands:,} islands" in found.message


def test_every_one_of_many_cables_at_one_port_is_told_once() -> None:
    text = (FOUND / "same-cables-again.ubus").read_text()
    again = [d for d in compile_text(text).diagnostics if d.code == "UB0501"]
    assert len(again) == text.count("connect") - 1
    assert all("8 such ports" in d.notes[0] for d in again)


@pytest.mark.parametrize("name", ["numbers that square", "powers of powers", "products of lists", "divisions"])
def test_a_number_without_measure_is_refused_where_it_arises(name: str) -> None:
    found = [d for d in compile_text(large.SHORT[name]).diagnostics if d.severity == "error"]
    assert {d.code for d in found} <= {"UB0111", "UB0310"}
    assert found


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize(("depth", "right"), [(63, True), (64, False), (2_000, False)])
def test_types_lie_in_one_another_as_deep_as_they_may_in_any_order(depth: int, right: bool, step: int) -> None:
    types = [f"rack T{n} {{ a : {f'T{n - 1}' if n else 'R'} }}\n" for n in range(depth)]
    text = f"{large.HEAD}{large.RING}{''.join(types[::step])}system s : T{depth - 1}\n"
    errors = [d.code for d in compile_text(text).diagnostics if d.severity == "error"]
    assert set(errors) == (set() if right else {"UB0213"})


def test_tokens_and_chains_of_scenarios_are_work() -> None:
    tokens = compile_text(large.BASE + "let a = [" + "1," * 5_000 + "]\n", limits=Limits(work=1_000_000)).diagnostics
    chain = compile_text(large.LONG["scenarios in a chain"](20_000), limits=Limits(work=20_000_000)).diagnostics
    for found in (tokens, chain):
        last = found[-1]
        assert last.code == "UB0411"
        assert last.primary is not None
        assert last.primary.span.line >= 7
    assert chain[-1].primary is not None
    assert chain[-1].primary.span.text.startswith("scenario")


def test_a_cable_list_is_work_and_has_the_length_of_a_source(tmp_path: Path) -> None:
    path = tmp_path / "m.ubus"
    path.write_text(large._machine('a[9999] : W; connect cables("a.csv") over L(1 m)'))
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"a[{n}].y[0],a[{n + 1}].y[1]\n" for n in range(9998)))
    assert compile(path).ok
    (long,) = compile(path, limits=Limits(source_bytes=10_000)).diagnostics
    assert (long.code, "--max-source" in long.help[0]) == ("UB0110", True)
    (much,) = compile(path, limits=Limits(work=9_000_000)).diagnostics
    assert much.code == "UB0411"
    assert much.primary is not None
    assert much.primary.span.text == '"a.csv"'


def test_a_file_name_that_can_not_be_is_no_file() -> None:
    text = f'ubus 1\nuse "{"x" * 400}/{"y" * 400}.ubus"\n'
    assert [d.code for d in compile_text(text).diagnostics] == ["UB0204"]
