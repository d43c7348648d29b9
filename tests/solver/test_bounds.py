"""Texts out of all measure end in a clear error, in bounded time and memory."""

from __future__ import annotations

import time

import pytest

from unifiedbus_dsl.compiler import compile_text

HEAD = """ubus 1
protocol UB { lane = 112 Gbps }
link Copper : UB { medium = copper; reach = 2 m }
npu Chip { port x[2] : UB x4 }
"""
RING = "rack Ring { npu[8] : Chip; connect npu.x as ring over Copper(1 m) }\nsystem ring : Ring\n"


def racks(cable: str, ports: int = 2, chips: int = 8) -> str:
    """A rack of chips with many ports and one connect statement."""
    chip = f"npu Wide {{ port y[{ports}] : UB x4 @open }}\n"
    return HEAD + chip + f"rack R {{ npu[{chips}] : Wide; connect {cable} }}\nsystem r : R\n" + RING


LARGE = {
    "an array of 10^12": (HEAD + "rack R { npu[1_000_000_000_000] : Chip }\nsystem r : R\n" + RING, "UB0411"),
    "lets that hang on each other": (
        HEAD + "".join(f"let a{i} = a{i + 1} + 1\n" for i in range(3000)) + "let a3000 = 1\n" + RING,
        "UB0233",
    ),
    "types in each other": (
        HEAD + RING + "rack T0 { t : Ring }\n"
        + "".join(f"rack T{i + 1} {{ t : T{i} }}\n" for i in range(100)) + "system t : T100\n",
        "UB0213",
    ),
    "types that extend each other": (
        HEAD + RING + "".join(f"npu A{i} extends A{i + 1} {{ m{i} = {i} }}\n" for i in range(100))
        + "npu A100 { port x[2] : UB x4 }\n"
        + "rack R { npu[8] : A0; connect npu.x as ring over Copper(1 m) }\nsystem r : R\n",
        "UB0213",
    ),
    "a type that counts down from far": (
        HEAD + RING + "rack T(n = 500) { if n > 0 { t : T(n = n - 1) } else { r : Ring } }\nsystem t : T\n",
        "UB0213",
    ),
    "a power of a power": (HEAD + RING + "let a = 10 ^ 1000\nlet b = a ^ 1000\n", "UB0111"),
    "an exponent": (HEAD + RING + "let a = 9 ^ 9 ^ 9 ^ 9\n", "UB0310"),
    "a stride beyond 64 bits": (
        racks("npu[i * 1_000_000_000_000_000_000_000].y[0] -- npu[i].y[1] over Copper(1 m) for i"),
        "UB0407",
    ),
    "a range of 10^15": (
        racks("npu[i mod 8].y[0] -- npu[i mod 8].y[1] over Copper(1 m) for i in 0..1_000_000_000_000_000"),
        "UB0411",
    ),
    "ten thousand million ports left over": (
        HEAD + "npu Wide { port y[1000] : UB x4 }\nrack R { npu[16_000_000] : Wide\n"
        "connect npu.y[0..1] as ring over Copper(1 m) }\nsystem r : R\n" + RING,
        "UB0506",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), LARGE.values(), ids=LARGE.keys())
def test_one_error_in_bounded_time(text: str, code: str) -> None:
    started = time.perf_counter()
    done = compile_text(text, "large.ubus")
    assert [d.code for d in done.diagnostics if d.severity == "error"] == [code]
    assert time.perf_counter() - started < 10


def test_a_chain_of_files() -> None:
    files = {f"f{i}.ubus": f'ubus 1\nuse "f{i + 1}.ubus"\n' for i in range(300)}
    done = compile_text(HEAD + 'use "f0.ubus"\n' + RING, "large.ubus", files)
    assert [d.code for d in done.diagnostics if d.severity == "error"] == ["UB0232"]
