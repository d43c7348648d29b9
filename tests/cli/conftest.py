"""Running `ubusc` in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from attrs import frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from unifiedbus_dsl.vocabulary.limits import Limits

PROGRAM = [sys.executable, "-c", "import sys; from unifiedbus_dsl.cli import main; sys.exit(main())"]


@frozen
class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `ubusc` with these arguments in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Outcome:
        status = main(arguments)
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return run


def spawn(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """Start `ubusc` as a process."""
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root, "PYTHONWARNINGS": "error"}
    return subprocess.Popen([*PROGRAM, *arguments], env=env, **options)  # type: ignore[call-overload, no-any-return]


@frozen
class FakeCompilation:
    diagnostics: tuple[Diagnostic, ...]
    systems: tuple[str, ...] = ()


def fake_compile(path: Path, **_: object) -> FakeCompilation:
    """A compiler that calls every `bad` an error that can be mended, and every `hmm` a warning."""
    source = Source(str(path), path.read_bytes().decode("utf-8-sig"), path)
    found = []
    for word, code, severity in (("bad", "UB0101", Severity.ERROR), ("hmm", "UB0107", Severity.WARNING)):
        start = source.text.find(word)
        while start >= 0:
            span = Span(source, start, start + len(word))
            fix = Fix("write `good`", (Edit(span, "good"),)) if word == "bad" else None
            found.append(Diagnostic(code, f"found `{word}`", Label(span, "here"), fix=fix, severity=severity))
            start = source.text.find(word, start + 1)
    return FakeCompilation(tuple(found))


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`unifiedbus_dsl.compiler` with `fake_compile`: what the commands do is tested apart from what compiling does."""
    import unifiedbus_dsl

    fake = ModuleType("unifiedbus_dsl.compiler")
    fake.compile = fake_compile  # type: ignore[attr-defined]
    fake.Limits = Limits  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unifiedbus_dsl.compiler", fake)
    monkeypatch.setattr(unifiedbus_dsl, "compiler", fake, raising=False)
    return fake
