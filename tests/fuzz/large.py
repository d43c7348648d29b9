# ruff: noqa: E501
"""Texts that ask for work out of all proportion, by name: long ones of one statement over and over, and short ones.

A long text is made to a size in bytes, so that the same ones serve small in the common tests and long in the slow
ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

HEAD = "ubus 1\nprotocol P { lane = 112 Gbps }\nlink L : P { reach = 2 m }\nnpu C { port x[2] : P x4 }\n"
RING = "rack R { npu[8] : C; connect npu.x as ring over L(1 m) }\n"
MODEL = "layers = 32; hidden = 4096; heads = 32; ffn = 14336; vocab = 128256"
OPEN = "npu W { port y[64] : P x4 @open }\n"
BASE = HEAD + RING + "system s : R\n"


def _repeat(line: Callable[[int], str], size: int) -> str:
    """Lines by number, until they have this size."""
    found: list[str] = []
    total = number = 0
    while total < size:
        found.append(line(number))
        total += len(found[-1])
        number += 1
    return "".join(found)


def _top(line: Callable[[int], str]) -> Callable[[int], str]:
    return lambda size: BASE + _repeat(line, size)


def _inside(before: str, line: Callable[[int], str], after: str) -> Callable[[int], str]:
    return lambda size: before + _repeat(line, size) + after


_RACK = HEAD + OPEN + "rack R {\n"
_RACK_END = "}\nsystem s : R\n"

LONG: Mapping[str, Callable[[int], str]] = {
    # statements of every kind, over and over
    "lets": _top(lambda n: f"let a{n} = {n}\n"),
    "lets in a chain": _top(lambda n: f"let a{n} = a{n - 1} + 1\n" if n else "let a0 = 1\n"),
    "lets that double": _top(lambda n: f"let a{n} = a{n - 1} + a{n - 1}\n" if n else "let a0 = 1/3\n"),
    "lets that square": _top(lambda n: f"let a{n} = a{n - 1} * a{n - 1} + 1/7\n" if n else "let a0 = 1/3\n"),
    "lists that double": _top(lambda n: f"let a{n} = [a{n - 1}, a{n - 1}]\n" if n else "let a0 = [1, 2]\n"),
    "lets in a circle": _top(lambda n: f"let a{n} = a{n + 1}\n"),
    "names that are not there": _top(lambda n: f"let a{n} = b{n}\n"),
    "names nearly right": _top(lambda n: f"let alpha{n} = alpah{n}\n"),
    "names twice": _top(lambda n: "let a = 1\n"),
    "protocols": _top(lambda n: f"protocol Q{n} {{ lane = 1 Gbps }}\n"),
    "links": _top(lambda n: f"link K{n} : P {{ reach = 1 m }}\n"),
    "links in a chain": _top(lambda n: f"link K{n} : P extends {'K' + str(n - 1) if n else 'L'} {{ reach = 1 m }}\n"),
    "types": _top(lambda n: f"npu T{n} {{ port x : P x4 @open }}\n"),
    "types in a chain": _top(lambda n: f"rack T{n} {{ a : T{n - 1} }}\n" if n else "rack T0 { a : C }\n"),
    "types that extend": _top(lambda n: f"npu T{n} extends {'T' + str(n - 1) if n else 'C'} {{ }}\n"),
    "types of one type": _top(lambda n: f"rack T{n} {{ r[{n % 7 + 1}] : R }}\n"),
    "systems": _top(lambda n: f"system s{n} : R\n"),
    "systems of their own": _top(
        lambda n: f"rack R{n} {{ npu[8] : C; connect npu.x as ring over L(1 m) }}\nsystem s{n} : R{n}\n"
    ),
    "traffics": _top(lambda n: f"traffic t{n} of s = alltoall(all npu)\n"),
    "workloads": _top(lambda n: f"workload w{n} of s = train(M, batch = 8, sequence = 64, tensor = {n % 4 + 1})\n"),
    "analyses": _top(lambda n: f"analyze q{n} of s {{ bisection(all npu) }}\n"),
    "measures": _inside(BASE + "analyze q of s {\n", lambda n: "bisection(all npu)\n", "}\n"),
    "scenarios": _top(lambda n: f"scenario d{n} of s {{ fail npu[{n % 8}] }}\n"),
    "scenarios in a chain": _top(
        lambda n: f"scenario d{n} of s {f'extends d{n - 1} ' if n else ''}{{ fail npu[{n % 8}] }}\n"
    ),
    "scenarios by cables": _top(lambda n: f"scenario d{n} of s {{ fail npu[0].x[0] }}\n"),
    "scenarios that set": _top(lambda n: f"scenario d{n} of s {{ set npu.power = {n} W }}\n"),
    "failures": _inside(BASE + "scenario d of s {\n", lambda n: f"fail npu[{n % 8}]\n", "}\n"),
    "views": _top(lambda n: f"view v{n} of s {{ label link by bandwidth }}\n"),
    "lines of a view": _inside(BASE + "view v of s {\n", lambda n: "show all npu where name == 1\n", "}\n"),
    "expectations": _top(lambda n: f"expect {n} == {n}\n"),
    "expectations that fail": _top(lambda n: f"expect {n} == {n + 1}\n"),
    "expectations of sums": _inside(
        HEAD + "rack R { npu[8] : C; connect npu.x as ring over L(1 m)\n",
        lambda n: "expect count(all npu) == 8\n",
        "}\nsystem s : R\n",
    ),
    "uses": _top(lambda n: f'use "f{n}.ubus"\n'),
    "uses of one file": _top(lambda n: "use std.clos\n"),
    "uses with names": _top(lambda n: f"use std.clos as c{n}\n"),
    # statements inside a type
    "fields": _inside(HEAD + "npu D {\n", lambda n: f"f{n} = {n}\n", "}\n"),
    "fields twice": _inside(HEAD + "npu D {\n", lambda n: "power = 1 W\n", "}\n"),
    "ports": _inside(
        HEAD + "npu D {\n", lambda n: f"port p{n} : P x4 @open\n", "}\nrack R { npu : D }\nsystem s : R\n"
    ),
    "ports left over": _inside(
        HEAD + "npu D {\n", lambda n: f"port p{n} : P x4\n", "}\nrack R { npu : D }\nsystem s : R\n"
    ),
    "transit lines": _inside(
        HEAD + "npu D {\nport p[100_000] : P x4 @open\n", lambda n: f"transit p[{n}]\n", "}\nrack R { npu : D }\n"
    ),
    "parts": _inside(_RACK, lambda n: f"a{n} : W\n", _RACK_END),
    "parts with cables": _inside(
        _RACK,
        lambda n: f"a{n} : W\n" + (f"connect a{n}.y[0] -- a{n - 1}.y[1] over L(1 m)\n" if n else ""),
        _RACK_END,
    ),
    "parts of parts": _inside(_RACK, lambda n: f"a{n} : R{n}\n", _RACK_END),
    "cables to one part": _inside(
        HEAD + "npu W { port y[1_000_000] : P x4 @open }\nrack R {\na : W\nb : W\n",
        lambda n: f"connect a.y[{n}] -- b.y[{n}] over L(1 m)\n",
        _RACK_END,
    ),
    "the same cables": _inside(
        HEAD + "rack R { npu[8] : C\n", lambda n: "connect npu.x as ring over L(1 m)\n", _RACK_END
    ),
    "the same cable": _inside(
        _RACK + "a[2] : W\n", lambda n: "connect a[0].y[0] -- a[1].y[0] over L(1 m)\n", _RACK_END
    ),
    "cables by index": _inside(
        _RACK + "a[2, 64] : W\n",
        lambda n: "connect a[0, i].y[j] -- a[1, j].y[i] over L(1 m) for i, j where i < j\n",
        _RACK_END,
    ),
    "cables of nothing": _inside(_RACK + "a[2] : W\n", lambda n: f"connect b{n}.y -- c{n}.y over L\n", _RACK_END),
    "open lines": _inside(
        HEAD + "npu W { port y[64] : P x4 }\nrack R {\na[2] : W\n", lambda n: "open a[0].y[0]\n", _RACK_END
    ),
    "exports": _inside(_RACK + "a[2] : W\n", lambda n: f"port e{n} = a[0].y[{n % 64}]\n", _RACK_END),
    "places": _inside(_RACK + "a[2] : W\n", lambda n: "place a as grid(columns = 2, pitch = [1 m, 1 m])\n", _RACK_END),
    "ifs": _inside(_RACK + "a[2] : W\n", lambda n: f"if {n} > 1 {{ b{n} : W }}\n", _RACK_END),
    "parameters": _inside(HEAD + "rack R(\n", lambda n: f"a{n} = {n},\n", ") { npu : C }\n"),
    "arguments": _inside(HEAD + "rack R(a = 1) { npu : C }\nsystem s : R(\n", lambda n: f"a{n} = {n},\n", ")\n"),
    "list of numbers": _inside(BASE + "let a = [\n", lambda n: f"{n},\n", "]\n"),
    "sum of numbers": _inside(BASE + "let a = 1\n", lambda n: f"+ {n}\n", "\n"),
    "binders": _inside(
        _RACK + "a[2] : W\nconnect a[0].y -- a[1].y over L(1 m) for i0 in 0..1\n",
        lambda n: f", i{n + 1} in 0..1\n",
        _RACK_END,
    ),
    "subscripts": _inside(_RACK + "a[\n", lambda n: "1,\n", "1] : W\n" + _RACK_END),
    "else ifs": _inside(
        _RACK + "a : W\nif 1 > 2 { b : W }\n", lambda n: f" else if {n} < 0 {{ c : W }}", "\n" + _RACK_END
    ),
    "annotations": _inside(HEAD + "npu D { port x : P x4\n", lambda n: " @open", " }\n"),
    "models in a chain": _top(
        lambda n: f"model M{n} extends M{n - 1} {{ layers = {n + 1} }}\n" if n else f"model M0 {{ {MODEL} }}\n"
    ),
    "sizes of a model": _inside(BASE + f"model M {{ {MODEL} }}\n", lambda n: "expect parameters(M) > 1\n", ""),
    "arrays with holes": _inside(_RACK, lambda n: f"a{n}[16_000_000 except {n}] : W\n", _RACK_END),
    "one array with holes": _inside(
        _RACK + "a[16_000_000 except 0\n", lambda n: f", 1..{n + 1}\n", "] : W\n" + _RACK_END
    ),
    "tables that are read": _inside(
        HEAD + OPEN + "let t = [0, 1, 2, 3, 4, 5, 6, 7]\nrack R { a[2] : W\n",
        lambda n: "connect a[0].y[t[i]] -- a[1].y[t[i]] over L(1 m) for i\n",
        _RACK_END,
    ),
    "elements by argument": _inside(
        HEAD + "npu D(n = 1) { port p[2] : P x4 @open; power = n * 1 W }\nrack R {\n",
        lambda n: f"b{n}[8] : if i < {n % 9} then D(n = i) else D for i\n",
        _RACK_END,
    ),
    "patterns": _inside(_RACK, lambda n: f"a{n}[4, 4, 4] : W\nconnect a{n}.y as hyperx over L(1 m)\n", _RACK_END),
    "ports nearly right": lambda size: (
        HEAD
        + f"npu W {{\n{_repeat(lambda n: f'port alpha{n} : P x4 @open' + chr(10), size // 2)}}}\nrack R {{\na[2] : W\n"
        + _repeat(lambda n: f"connect a[0].alhpa{n} -- a[1].alpha{n} over L(1 m)\n", size // 2)
        + "}\nsystem s : R\n"
    ),
    "failures of cables": _inside(
        BASE + "scenario d of s {\n", lambda n: f"fail npu[{n % 8}] -- npu[{(n + 1) % 8}]\n", "}\n"
    ),
    "measured lets": _inside(
        BASE + "analyze q of s {\nlet a0 = count(all npu)\n",
        lambda n: f"let a{n + 1} = a{n} + count(all npu)\n",
        "expect a0 == 8\n}\n",
    ),
    "parameters that vary": lambda size: (
        HEAD
        + f"rack R({_repeat(lambda n: f'a{n} = 1, ', size // 3)}) {{ npu[8] : C; connect npu.x as ring over L(1 m) }}\n"
        + f"system s : R\nexplore e of s {{\n{_repeat(lambda n: f'vary a{n} in [1, 2]' + chr(10), size // 2)}}}\n"
    ),
    # one long thing
    "one name": lambda size: BASE + "let " + "a" * size + " = 1\n",
    "one name nearly right": lambda size: BASE + f"let {'a' * (size // 2)} = {'a' * (size // 2 - 1)}b\n",
    "one string": lambda size: BASE + 'expect 1 == 1 "' + "x" * size + '"\n',
    "one comment": lambda size: BASE + "#" + "x" * size + "\n",
    "comments": _top(lambda n: "# x\n"),
    "documentation": _top(lambda n: "## x\n"),
    "empty lines": _top(lambda n: "\n"),
    "blanks": lambda size: BASE + " " * size,
    "semicolons": lambda size: BASE + ";" * size,
    "lets on one line": _top(lambda n: f"let a{n} = {n};"),
    "errors on one line": _top(lambda n: "let = ;"),
    "calls on one line": lambda size: BASE + "let a = " + "min(1, 2) + " * (size // 13) + "1\n",
    "a sum on one line": lambda size: BASE + "let a = 1" + " + 1" * (size // 4) + "\n",
    "a product on one line": lambda size: BASE + "let a = 2" + " * 2" * (size // 4) + "\n",
    "a name on one line": lambda size: BASE + "expect " + "a.b" + ".c" * (size // 2) + " == 1\n",
    "negations": lambda size: BASE + "let a = " + "-" * size + "1\n",
    "nots": lambda size: BASE + "let a = " + "not " * (size // 4) + "true\n",
    "powers": lambda size: BASE + "let a = 2" + "^2" * (size // 2) + "\n",
    "brackets": lambda size: BASE + "let a = " + "(" * (size // 2) + "1" + ")" * (size // 2) + "\n",
    "brackets left open": lambda size: BASE + "let a = " + "(" * size,
    "brackets never opened": lambda size: BASE + "let a = 1" + ")" * size + "\n",
    "lists in lists": lambda size: BASE + "let a = " + "[" * (size // 2) + "1" + "]" * (size // 2) + "\n",
    "blocks in blocks": lambda size: HEAD + "rack R {" + "if true {" * (size // 10) + "}" * (size // 10) + "}\n",
    "blocks left open": lambda size: HEAD + "rack R {\n" * (size // 9),
    "blocks left open in ifs": lambda size: HEAD + "rack R {\n" + "if true {\n" * (size // 10),
    "conditionals": lambda size: BASE + "let a = " + "if true then 1 else " * (size // 20) + "1\n",
    "closing braces": lambda size: BASE + "}\n" * (size // 2),
    "quotes": lambda size: BASE + '"\n' * (size // 2),
    "signs": lambda size: BASE + "@" * size,
    "odd characters": lambda size: BASE + "é" * (size // 2),
    "NULs": lambda size: BASE + "\0" * size,
    "lines of noise": _top(lambda n: "let = = =\n"),
    "lines of words": _top(lambda n: "has\n"),
    "lines of one letter": _top(lambda n: "a\n"),
    "numbers of many digits": _top(lambda n: "let a = " + "9" * 1000 + "\n"),
    "one number": lambda size: BASE + "let a = " + "9" * size + "\n",
    "one unit": lambda size: BASE + "let a = 1 " + "G" * size + "\n",
    "exponents": _top(lambda n: f"let a{n} = 1e999\n"),
    "units that are not there": _top(lambda n: f"let a{n} = 1 Gx{n}\n"),
    "sums that overflow": _top(lambda n: f"let a{n} = 10^500\n"),
}


def _machine(parts: str, devices: str = OPEN) -> str:
    return f"{HEAD}{devices}rack R {{ {parts} }}\nsystem s : R\n"


SHORT: Mapping[str, str] = {
    "an array of 10^18": _machine("a[1_000_000_000_000_000_000] : W"),
    "an array of 10^300": _machine(f"a[1{'0' * 300}] : W"),
    "arrays of 2^24, eight of them": _machine("; ".join(f"a{k}[16_777_216] : W" for k in range(8))),
    "arrays of 2^24 in arrays": HEAD
    + "rack R { npu[16_777_216] : C; open npu.x }\nrack S { r[127] : R }\nsystem s : S\n",
    "ports of 2^24": HEAD + "npu D { port p[16_777_216] : P x4 @open }\nrack R { a[16_777_216] : D }\nsystem s : R\n",
    "ports of 2^24, exported": HEAD
    + "npu D { port p[4096] : P x4 @open }\nrack R { a[4096] : D; port e = a.p }\n"
    + "superpod S { r[4096] : R; port e = r.e }\nsystem s : S\n",
    "ports of 2^24, exported and joined": HEAD
    + "npu D { port p[4096] : P x4 @open }\nrack R { a[4096] : D; port e = a.p }\n"
    + "superpod S { r[2] : R; connect r[0].e -- r[1].e over L(1 m) }\nsystem s : S\n",
    "a range of 10^18": _machine(
        "a[2] : W; connect a[0].y[i mod 64] -- a[1].y[i mod 64] over L(1 m) for i in 0..999_999_999_999_999_999"
    ),
    "ranges of 10^12 with a condition": _machine(
        "a[2] : W; connect a[0].y[i mod 2] -- a[1].y[j mod 2] over L(1 m) for i in 0..999_999, j in 0..999_999 where i == j"
    ),
    "ranges of 10^8 with a condition": _machine(
        "a[2] : W; connect a[0].y[i mod 2] -- a[1].y[j mod 2] over L(1 m) for i in 0..9_999, j in 0..9_999 where i == j"
    ),
    "many ranges of 10^8 with a condition": _machine(
        "a[2] : W\n"
        + "connect a[0].y[i mod 2] -- a[1].y[j mod 2] over L(1 m) for i in 0..9_999, j in 0..9_999 where i == j\n" * 50
    ),
    "a step of 10^18": _machine(
        "a[2] : W; connect a[0].y[i] -- a[1].y[i] over L(1 m) for i in 0..63 step 1_000_000_000_000_000_000"
    ),
    "a subscript of 10^30": _machine("a[2] : W; connect a[0].y[10^30*i] -- a[1].y[i] over L(1 m) for i in 0..63"),
    "an islands matrix": _machine(
        "a[1000, 1000] : W; connect a[i, j].y[0] -- a[j, i].y[1] over L(1 m) for i, j where i < j"
    ),
    "two million islands": _machine(
        "a[1400, 1400] : W; connect a[i, j].y[0] -- a[j, i].y[1] over L(1 m) for i, j where i < j"
    ),
    "islands one by one": _machine("a[8_000_000] : W"),
    "islands in pairs": _machine("a[2, 8_000_000] : W; connect a[0, i].y[0] -- a[1, i].y[0] over L(1 m) for i"),
    "a long line by rule": _machine(
        "a[8_000_000] : W; connect a[i].y[0] -- a[i + 1].y[1] over L(1 m) for i in 0..7_999_998"
    ),
    "a long line, shuffled": _machine(
        "a[8_000_009] : W; connect a[(3000017*i) mod 8000009].y[0] -- a[(3000017*i + 1) mod 8000009].y[1] over L(1 m) for i in 0..8_000_008"
    ),
    "a torus of 24 dimensions": _machine(f"a[{', '.join(['2'] * 24)}] : W; connect a.y as torus over L(1 m)"),
    "a mesh of 24 dimensions": _machine(f"a[{', '.join(['2'] * 24)}] : W; connect a.y as mesh over L(1 m)"),
    "a hyperx of 12 dimensions": _machine(f"a[{', '.join(['4'] * 12)}] : W; connect a.y as hyperx over L(1 m)"),
    "a hypercube of 2^24": _machine("a[16_777_216] : W; connect a.y as hypercube over L(1 m)"),
    "a torus of 60 dimensions": _machine(f"a[{', '.join(['2'] * 60)}] : W; connect a.y as torus over L(1 m)"),
    "a torus of 10,000 dimensions": _machine(f"a[{', '.join(['1'] * 10_000)}] : W; connect a.y as torus over L(1 m)"),
    "a torus of dims": _machine("a[16_777_216] : W; connect a.y as torus(dims = [256, 256, 256]) over L(1 m)"),
    "a full mesh of 20,000": _machine(
        "a[20_000] : D; connect a.p as fullmesh over L(1 m)", "npu D { port p[20_000] : P x4 @open }\n"
    ),
    "a full mesh of 10^6": _machine(
        "a[1_000_000] : D; connect a.p as fullmesh over L(1 m)", "npu D { port p[1_000_000] : P x4 @open }\n"
    ),
    "full meshes of 2,000, 100 of them": _machine(
        "a[100, 2000] : D; connect a[i, *].p as fullmesh over L(1 m) for i", "npu D { port p[1999] : P x4 }\n"
    ),
    "a regular graph of 10^6": _machine("a[1_000_000] : W; connect a.y as regular(degree = 64, seed = 1) over L(1 m)"),
    "a regular graph of 100,000": _machine("a[100_000] : W; connect a.y as regular(degree = 32, seed = 1) over L(1 m)"),
    "a regular graph of degree 10^9": _machine(
        "a[100] : W; connect a.y as regular(degree = 1_000_000_000, seed = 1) over L(1 m)"
    ),
    "a regular graph nearly full": _machine(
        "a[3000] : D; connect a.p as regular(degree = 2998, seed = 1) over L(1 m)",
        "npu D { port p[2998] : P x4 @open }\n",
    ),
    "a circulant of many offsets": _machine(
        f"a[10_000] : D; connect a.p as circulant(offsets = [{', '.join(map(str, range(1, 3000)))}]) over L(1 m)",
        "npu D { port p[6000] : P x4 @open }\n",
    ),
    "a width of 10^12": _machine("a[4] : W; connect a.y as ring(width = 1_000_000_000_000) over L(1 m)"),
    "two arrays, all to all": _machine(
        "a[20_000] : D; b[20_000] : D; connect a.p to b.p as all over L(1 m)", "npu D { port p[20_000] : P x4 @open }\n"
    ),
    "rails": _machine(
        "a[1_000_000] : W; b[64] : D; connect a.y to b.p as rails over L(1 m)",
        OPEN + "npu D { port p[1_000_000] : P x4 @open }\n",
    ),
    "a grid of 10^7": _machine("a[10_000_000] : W; place a as grid(columns = 1000, pitch = [1 m, 1 m])"),
    "positions beyond 64 bits": _machine(
        "a[20] : W; place a as grid(columns = 8, pitch = [9999999999999999999999999 m, 4 m])"
    ),
    "types that contain themselves": HEAD
    + "rack T(n = 16, m = 0) { if n > 0 { a : T(n = n - 1, m = 2*m); b : T(n = n - 1, m = 2*m + 1) } else { npu[8] : C; connect npu.x as ring over L(1 m) } }\nsystem t : T\n",
    "types that contain themselves three times": HEAD
    + "rack T(n = 60, m = 0) { if n > 0 { a : T(n = n - 1, m = 3*m); b : T(n = n - 1, m = 3*m + 1); c : T(n = n - 1, m = 3*m + 2) } else { npu[8] : C; connect npu.x as ring over L(1 m) } }\nsystem t : T\n",
    "devices by argument": HEAD
    + "npu D(n) { port p[2] : P x4 @open; power = n * 1 W }\n"
    + "rack R {\n"
    + "".join(f"a{n} : D(n = {n})\n" for n in range(20_000))
    + "}\nsystem s : R\n",
    "types without end": HEAD + "rack T(n = 0) { a : T(n = n + 1) }\nsystem t : T\n",
    "lists as arguments": HEAD
    + "rack T(n = 20, m = [1]) { if n > 0 { a : T(n = n - 1, m = [m, m]) } else { npu : C } }\nsystem t : T\n",
    "machines in machines": HEAD
    + "rack R0 { npu[2] : C; open npu.x }\n"
    + "".join(f"rack R{n} {{ a[2] : R{n - 1} }}\n" for n in range(1, 60))
    + "system s : R59\n",
    "systems of 2^24, by cables": HEAD
    + "rack R { npu[16_777_216] : C; connect npu.x as ring over L(1 m) }\nsystem s : R\n"
    + "scenario d of s { fail npu[0].x[0] }\n",
    "a quota of 10^18": BASE + "scenario d of s { let seed = 1; fail any 1_000_000_000_000_000_000 of all npu }\n",
    "numbers that square": BASE
    + "let a0 = 1/3\n"
    + "".join(f"let a{n} = a{n - 1}*a{n - 1} + 1/7\n" for n in range(1, 60))
    + "expect a59 > 1\n",
    "numbers that add up": BASE
    + "let a0 = 1/3\n"
    + "".join(f"let a{n} = a{n - 1} + 1/(10^{n} + {n})\n" for n in range(1, 900))
    + "expect a899 > 1\n",
    "products of lists": BASE + f"let a = product([{', '.join(['10^500'] * 5000)}])\n",
    "powers of powers": BASE + "let a = ((((10^500)^500)^500)^500)\n",
    "divisions": BASE
    + "let a0 = 10^500/(10^499 + 1)\n"
    + "".join(f"let a{n} = a{n - 1} / (a{n - 1} - 1/3)\n" for n in range(1, 60))
    + "expect a59 > 1\n",
    "a mod of large numbers": BASE + "let a = ((10^900)^10) mod ((7^900)^3)\n",
    "a list of lists": BASE
    + "let a0 = [1, 2]\n"
    + "".join(f"let a{n} = [a{n - 1}, a{n - 1}]\n" for n in range(1, 60))
    + "expect a59 == a58\n",
    "a type of many arguments": HEAD
    + "npu D("
    + ", ".join(f"a{n} = {n}" for n in range(3000))
    + ") { port p : P x4 @open }\nrack R {\n"
    + "".join(f"b{n} : D(a{n} = 1)\n" for n in range(1, 300))
    + "}\nsystem s : R\n",
    "conditions on many axes": _machine(
        "a["
        + ", ".join(["8"] * 8)
        + "] : W; connect a[i,j,k,l,m,n,o,p].y[0] -- a[p,o,n,m,l,k,j,i].y[1] over L(1 m) for i, j, k, l, m, n, o, p where i + j + k + l < m + n + o + p"
    ),
    "many divisions": _machine(
        "a[64] : W; connect a[" + "(" * 60 + "i" + " + 1) mod 64" * 60 + "].y[0] -- a[i].y[1] over L(1 m) for i"
    ),
    "products of indices": _machine(
        "a[64] : W; connect a[(" + "*".join(["(i + 1)"] * 12) + ") mod 64].y[0] -- a[i].y[1] over L(1 m) for i"
    ),
    "sums of indices": _machine(
        "a[64] : W; connect a[(" + " + ".join(["i"] * 20_000) + ") mod 64].y[0] -- a[i].y[1] over L(1 m) for i"
    ),
    "a where of many parts": _machine(
        "a[64] : W; connect a[i].y[0] -- a[i].y[1] over L(1 m) for i where " + " and ".join(["i > 1"] * 20_000)
    ),
}
"""Short texts, and long ones of one size."""
