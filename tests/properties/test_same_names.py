"""Two files may define one name: which of them a machine means does not depend on the order of its lines."""

from __future__ import annotations

from itertools import permutations

from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.ir.plan.text import plan_text

TECH = "protocol UB { lane = 112 Gbps }\nlink Copper : UB { medium = copper; reach = 2 m }\n"
FILES = {
    "tech.ubus": "ubus 1\n" + TECH,
    "a.ubus": 'ubus 1\nuse "tech.ubus"\nnpu Chip { port x : UB x4; port y : UB x4 }\nnpu Old { port x : UB x4 }\n',
    "b.ubus": 'ubus 1\nuse "tech.ubus"\nnpu Chip { port x : UB x4; memory = 1 GB }\n',
}
LINES = (
    "  one[2] : a.Chip",
    "  two : b.Chip",
    "  connect one[0].x -- one[1].x over Copper(1 m)",
    "  connect one[0].y -- two.x over Copper(1 m)",
    "  open one[1].y",
    "  expect count(all a.Chip) == 2",
    "  expect count(all b.Chip) == 1",
)


def text(order: tuple[int, ...], uses: tuple[str, ...]) -> str:
    body = "\n".join(LINES[k] for k in order)
    return "ubus 1\n" + "".join(uses) + f'use "tech.ubus"\nrack R {{\n{body}\n}}\nsystem r : R\n'


def test_order_of_lines_and_of_files() -> None:
    uses = ('use "a.ubus" as a\n', 'use "b.ubus" as b\n')
    plans = set()
    for order in list(permutations(range(len(LINES))))[::97]:
        for files in (uses, uses[::-1]):
            done = compile_text(text(order, files), "main.ubus", FILES)
            assert [d.message for d in done.diagnostics] == []
            plans.add(plan_text(done.plan))
    assert len(plans) == 1
    assert {"Chip@a", "Chip@b"} <= done.plan.devices.keys()


def test_the_main_file_keeps_its_names() -> None:
    main = (
        'ubus 1\nuse "tech.ubus"\nuse "a.ubus" as a\nnpu Chip { port x : UB x4 }\n'
        "rack R { two : Chip; one : a.Chip; connect two.x -- one.x over Copper(1 m); open one.y }\nsystem r : R\n"
    )
    assert compile_text(main, "main.ubus", FILES).plan.devices.keys() == {"Chip", "Chip@a"}


def test_files_of_one_name_in_two_folders() -> None:
    files = {
        "tech.ubus": FILES["tech.ubus"],
        "one/parts.ubus": 'ubus 1\nuse UB from "tech.ubus"\nnpu Chip { port x : UB x4 }\n',
        "two/parts.ubus": 'ubus 1\nuse UB from "tech.ubus"\nnpu Chip { port x : UB x4 }\n',
    }
    main = (
        'ubus 1\nuse Copper from "tech.ubus"\nuse "two/parts.ubus" as two\nuse "one/parts.ubus" as one\n'
        "rack R { b : two.Chip; a : one.Chip; connect a.x -- b.x over Copper(1 m) }\nsystem r : R\n"
    )
    assert compile_text(main, "main.ubus", files).plan.devices.keys() == {"Chip@parts", "Chip@parts-2"}
