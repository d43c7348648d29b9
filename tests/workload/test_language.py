"""Models of the text: what is worked out of them, and every fortieth way to say them wrongly."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.compiler import Limits, compile_text
from unifiedbus_dsl.vocabulary.attributes import attributes

SMALL = (
    "model Small { layers = 32; hidden = 4096; heads = 32; kv_heads = 8; ffn = 14336; gated = true; vocab = 128256 }\n"
)


def said(text: str) -> list[str]:
    return [each.message for each in compile_text(f"ubus 1\n{text}").diagnostics]


@pytest.mark.parametrize("name", [each.name for each in attributes("model").values() if each.required])
def test_each_required_dimension_is_asked_for(name: str) -> None:
    fields = {"layers": 32, "hidden": 4096, "heads": 32, "ffn": 14336, "vocab": 32000}
    del fields[name]
    text = "; ".join(f"{key} = {value}" for key, value in fields.items())
    assert said(f"model Short {{ {text} }}") == [f"model `Short` states no `{name}`"]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e12", "4 GB", '"many"', "[1, 2]"])
def test_a_dimension_is_a_whole_number_in_bounds(value: str) -> None:
    """One line is said, and nothing is worked out."""
    text = SMALL.replace("layers = 32", f"layers = {value}") + "expect parameters(Small) == 8.03e9 within 1%\n"
    assert len(said(text)) == 1


def test_settings_and_names_reach_models() -> None:
    text = f"ubus 1\nlet deep = 32\n{SMALL.replace('layers = 32', 'layers = deep')}"
    asked = "expect parameters(Small) == 8.03e9 within 0.1%\n"
    assert compile_text(text + asked).ok
    assert not compile_text(text + asked, settings={"deep": "64"}).ok
    assert not compile_text(text + asked, settings={"Small.layers": "64"}).ok


def test_a_model_of_another_file() -> None:
    parts = {"models.ubus": f"ubus 1\n{SMALL}"}
    done = compile_text('ubus 1\nuse "models.ubus"\nexpect parameters(Small) == 8.03e9 within 0.1%\n', files=parts)
    assert done.ok, done.diagnostics
    done = compile_text('ubus 1\nuse Small from "models.ubus"\nexpect parameters(Small) > 8.1e9\n', files=parts)
    assert [each.code for each in done.diagnostics] == ["UB0701"]


@pytest.mark.parametrize(("sort", "fields"), [("model", "layers = 2"), ("link", "reach = 2 m")])
def test_a_long_chain_is_no_circle(sort: str, fields: str) -> None:
    """It is said once, whatever hangs on it; the last ones stand first in the text."""
    first = SMALL if sort == "model" else "protocol P { lane = 1 GB/s }\nlink Small : P { medium = copper }\n"
    chain = [f"{sort} N{i} extends {f'N{i - 1}' if i else 'Small'} {{ {fields} }}\n" for i in range(80)]
    assert said(first + "".join(chain[31::-1])) == []
    assert said(first + "".join(chain[::-1])) == [f"{sort}s extend each other more than 32 deep"]


def test_a_word_stays_a_name() -> None:
    """`model` is a keyword only where a statement begins."""
    assert compile_text("ubus 1\nlet model = 3\nexpect model == 3\n").ok


def test_a_model_that_extends_what_is_not_there() -> None:
    (alone,) = compile_text("ubus 1\nmodel Deep extends Small { layers = 64 }\n").diagnostics
    assert (alone.code, alone.help) == ("UB0223", ("models known here: `Deep`",))
    assert not compile_text("ubus 1\nmodel Deep extends Small { layers = 64 }\nmodel Deep {}\n@@ {\n").ok


def test_what_a_model_states_is_read_once_for_all_that_extend_it() -> None:
    """In steps of checking: 2,000 models in chains of 30 cost as many lines as they have, not fifteen times as many."""
    head = "ubus 1\nmodel M0 { layers = 32; hidden = 4096; heads = 32; ffn = 14336; vocab = 128256 }\n"
    more = "".join(
        f"model M{n} extends M{n - 1 if n % 30 else 0} {{ layers = {n % 90 + 1} }}\n" for n in range(1, 2000)
    )
    done = compile_text(f"{head}{more}expect parameters(M1999) > parameters(M1980)\n", limits=Limits(work=60_000_000))
    assert [d.message for d in done.diagnostics] == []
    wrong = f"{head}{more}".replace("layers = 2 }", "layers = 2 m }", 1)
    said = [d.message for d in compile_text(wrong).diagnostics if d.severity == "error"]
    assert len(said) == 1, "each mistake is told once"
