"""The passes from text to machine, in order:

    load -> parse -> bind -> elaborate -> check -> expectations -> (on demand) expand

Each is a function that takes what the one before it made and a sink for diagnostics. Later ones run on what earlier
ones could understand, so that one run reports every error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from attrs import evolve, field, frozen

import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers what can be asked
from unifiedbus_dsl.base.source import Places, Source, Span
from unifiedbus_dsl.base.work import OverLimitError, limited
from unifiedbus_dsl.diagnostics import Diagnostic, Label, Severity, Sink, TooManyErrorsError
from unifiedbus_dsl.diagnostics.merge import merge_repeated
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, no_such
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render import notebook  # noqa: F401 - lets plans show themselves
from unifiedbus_dsl.semantic import Elaborated, ExpectResult, Limits, elaborate
from unifiedbus_dsl.semantic.checks import check
from unifiedbus_dsl.semantic.names.bind import Read, bind, unused
from unifiedbus_dsl.semantic.names.library import FileLibrary, Library, TextLibrary
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.names.settings import apply, noting, of_settings, read_settings
from unifiedbus_dsl.semantic.queries.check_queries import check_queries
from unifiedbus_dsl.semantic.queries.part_settings import with_settings
from unifiedbus_dsl.semantic.systems import broken, expectations
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse

if TYPE_CHECKING:
    from unifiedbus_dsl.ir.fabric import Fabric

__all__ = ["Compilation", "CompilationFailed", "Limits", "compile", "compile_stream", "compile_text", "of_fabric"]

FABRIC_SUFFIX = ".npz"
KNOWN_BY = "_compilation"
"""Where a fabric has the compilation whose names questions about it may use."""


class CompilationFailed(Exception):  # noqa: N818 - the field's word
    """A machine was asked for, and its text has errors; `diagnostics` says which."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        errors = [d for d in diagnostics if d.severity is Severity.ERROR]
        place = errors[0].primary.span if errors and errors[0].primary else None
        first = f"{place}: {errors[0].message}" if place else errors[0].message if errors else "no such system"
        super().__init__(first if len(errors) < 2 else f"{first} (and {len(errors) - 1} more errors)")
        self.diagnostics = diagnostics


@frozen(eq=False)
class Inputs:
    """What a compilation was made of: its text, where `use` looks, the limits, and what was set beside the text."""

    source: Source
    library: Library
    limits: Limits
    settings: Mapping[str, str]


@frozen(eq=False, slots=False)
class Compilation:
    """What came out of a text: diagnostics, and where there are no errors, plans and fabrics.

    `plans` is empty where there are errors: no number comes from a broken model. `library` holds the plans of types
    that no system uses.
    """

    diagnostics: tuple[Diagnostic, ...]
    plans: Mapping[str, Plan]
    expectations: tuple[ExpectResult, ...]
    sources: tuple[Source, ...]
    library: tuple[Plan, ...] = ()
    model: Model | None = field(default=None, repr=False)
    elaborated: Elaborated | None = field(default=None, repr=False)
    answerable: Mapping[str, Plan] = field(factory=dict, repr=False)
    """The plans where nothing is wrong but questions, scenarios and views: these don't make the machine another one."""
    inputs: Inputs | None = field(default=None, repr=False)
    """None for a fabric that was read."""
    _fabrics: dict[str, Fabric] = field(factory=dict, init=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is no error (warnings are none)."""
        return not any(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def systems(self) -> tuple[str, ...]:
        """The names of the systems, in order of the text."""
        return tuple(self.plans)

    def despite_questions(self) -> Compilation | None:
        """Return a compilation whose machines can be asked: itself, or where only questions, scenarios and views are
        wrong, one without their errors; None where a machine is."""
        if self.ok or not self.answerable:
            return self if self.ok else None
        left = tuple(d for d in self.diagnostics if d.severity is not Severity.ERROR)
        return evolve(self, diagnostics=left, plans=self.answerable)

    def pick(self, system: str | None = None) -> Plan:
        """Return the plan of a system, by default the first of the text.

        Raises:
            CompilationFailed: the text has errors, or no system.
            UnknownNameError: no system of that name; a `KeyError`.
        """
        if not self.ok or not self.plans:
            raise CompilationFailed(self.diagnostics)
        name = system if system is not None else self.systems[0]
        if name not in self.plans:
            raise UnknownNameError(no_such("system", name, self.systems))
        return self.plans[name]

    @property
    def plan(self) -> Plan:
        """The plan of the first system.

        Raises:
            CompilationFailed: the text has errors, or no system.
        """
        return self.pick()

    def fabric(self, system: str | None = None) -> Fabric:
        """Return the fabric of a system, expanded when one of its columns is first looked at.

        Raises:
            CompilationFailed: the text has errors, or no system.
            UnknownNameError: no system of that name; a `KeyError`.
        """
        from unifiedbus_dsl.ir.fabric.deferred import DeferredFabric

        plan = self.pick(system)
        if plan.system not in self._fabrics:
            self._fabrics[plan.system] = made = DeferredFabric(plan, self.sources_hash)
            vars(made)[KNOWN_BY] = self
        return self._fabrics[plan.system]

    def _repr_svg_(self) -> str | None:
        """Return the overview of the first system, which notebooks show; None where there is none or nothing to draw
        with."""
        if not self.ok or not self.plans:
            return None
        return self.plan._repr_svg_()

    def _repr_html_(self) -> str | None:
        """Return the diagnostics as they are printed; None where there are none, so that the picture is shown."""
        if not self.diagnostics:
            return None
        from unifiedbus_dsl.diagnostics.text import render
        from unifiedbus_dsl.escape import html

        return f"<pre>{html.text(render(self.diagnostics))}</pre>{self._repr_svg_() or ''}"

    @property
    def sources_hash(self) -> str:
        """SHA-256 over the names and texts of the sources, the main one first, the others in order of name."""
        digest = hashlib.sha256()
        for source in (*self.sources[:1], *sorted(self.sources[1:], key=lambda s: s.name)):
            for part in (source.name.rsplit("/", 1)[-1], source.text):
                data = part.encode(errors="surrogateescape")  # the name of a file may be bytes that are no text
                digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()


def spec_folders() -> tuple[Path, ...]:
    """Where the specs that come along are: in the package, or beside it in a source tree."""
    package = Path(__file__).parent
    return tuple(folder for folder in (package / "specs", package.parent / "specs") if folder.is_dir())


def compile(
    path: str | Path,
    *,
    search: Sequence[Path] = (),
    limits: Limits | None = None,
    settings: Mapping[str, str] | None = None,
) -> Compilation:
    """Compile a file. Never raises for what is wrong with the text or the file: see `diagnostics`.

    Args:
        path: a text, or a fabric file (`.npz`), which is taken as the machine it holds.
        search: folders in which `use` looks after the file's own and before the specs that come along.
        limits: what is refused before it costs time or memory; default: `Limits()`.
        settings: values that stand in place of what the text says, `{"racks": "64"}`.
    """
    from unifiedbus_dsl.syntax.load import load

    limits = limits or Limits()
    sink = Sink(limits.errors)
    if Path(path).suffix.lower() == FABRIC_SUFFIX:
        return _fabric_file(Path(path), sink, settings)
    library = _files(search, limits)
    source = load(Path(path), sink, max_bytes=limits.source_bytes)
    if source is None:
        return Compilation(tuple(sink), {}, (), ())
    library.know(source)
    return _compile(source, library, sink, limits, settings)


def compile_stream(
    stream: BinaryIO,
    *,
    search: Sequence[Path] = (),
    limits: Limits | None = None,
    settings: Mapping[str, str] | None = None,
) -> Compilation:
    """Compile the text that a stream holds, as `compile` does a file; `use` looks in the current folder first."""
    from unifiedbus_dsl.syntax.load import load_stream

    limits = limits or Limits()
    sink = Sink(limits.errors)
    source = load_stream(stream, sink, max_bytes=limits.source_bytes)
    if source is None:
        return Compilation(tuple(sink), {}, (), ())
    return _compile(source, _files((Path(), *search), limits), sink, limits, settings)


def of_fabric(fabric: Fabric) -> Compilation:
    """Return the compilation that a fabric comes from; of one that was read, a compilation with this system alone."""
    known: Compilation | None = vars(fabric).get(KNOWN_BY)
    if known is not None:
        return known
    made = compile_text("ubus 1\n", fabric.plan.system)
    done = evolve(made, plans={fabric.plan.system: fabric.plan}, inputs=None)
    done._fabrics[fabric.plan.system] = fabric
    return done


def _fabric_file(path: Path, sink: Sink, settings: Mapping[str, str] | None) -> Compilation:
    from unifiedbus_dsl.ir.fabric import Fabric
    from unifiedbus_dsl.ir.fabric.file import FabricFileError

    if settings:
        message = f"a fabric file is a machine that is built: `{next(iter(settings))}` can't be set in it"
        sink.error("UB0612", message, None, help=("compile the text that it was made of, with the setting",))
        return Compilation(tuple(sink), {}, (), ())
    try:
        return of_fabric(Fabric.load(path))
    except FabricFileError as error:
        sink.error("UB0807", str(error), None, help=("`ubusc compile` and `ubusc import` write fabric files",))
        return Compilation(tuple(sink), {}, (), ())


def compile_text(
    text: str,
    name: str = "<text>",
    files: Mapping[str, str] | None = None,
    *,
    search: Sequence[Path] = (),
    limits: Limits | None = None,
    settings: Mapping[str, str] | None = None,
) -> Compilation:
    """Compile a text. Never raises for what is wrong with it: see `diagnostics`.

    Args:
        text: the text, a whole file of the language.
        name: what diagnostics call it.
        files: further texts that it may `use`, by file name.
        search: folders in which `use` looks after these and before the specs that come along.
        limits: what is refused before it costs time or memory; default: `Limits()`.
        settings: values that stand in place of what the text says, `{"racks": "64"}`.
    """
    limits = limits or Limits()
    sink = Sink(limits.errors)
    main = Source(name, text)
    texts = {name: main} | {file: Source(file, inner) for file, inner in (files or {}).items() if file != name}
    library = TextLibrary(texts, _files(search, limits))
    return _compile(main, library, sink, limits, settings)


def compile_source(
    source: Source,
    known: Iterable[Source] = (),
    *,
    search: Sequence[Path] = (),
    limits: Limits | None = None,
    read: Read = parse,
) -> Compilation:
    """Compile a text as if its file held it; `known` are further texts that stand for what their files hold.

    This is for editors, whose texts may not be saved, and are read again and again: `read` gives the tree of a source.
    """
    limits = limits or Limits()
    return _compile(source, files_library(search, limits, (*known, source)), Sink(limits.errors), limits, read=read)


def files_library(search: Sequence[Path], limits: Limits, known: Iterable[Source] = ()) -> FileLibrary:
    """Return where `use` looks: beside the file, in the folders of `search`, among the specs that come along.

    `known` are texts that stand for what their files hold.
    """
    library = _files(search, limits)
    for each in known:
        library.know(each)
    return library


def _files(search: Sequence[Path], limits: Limits) -> FileLibrary:
    def read(path: Path, sink: Sink) -> Source | None:
        from unifiedbus_dsl.syntax.load import load

        return load(path, sink, max_bytes=limits.source_bytes)

    return FileLibrary((*search, *spec_folders()), read)


def _compile(
    source: Source,
    library: Library,
    sink: Sink,
    limits: Limits,
    settings: Mapping[str, str] | None = None,
    read: Read = parse,
) -> Compilation:
    """Return what all passes make of a text. Where it has too many errors, or asks for too much work, the rest is not
    looked at."""
    inputs = Inputs(source, library, limits, settings or {})
    try:
        with limited(limits.work):
            return evolve(_passes(inputs, sink, read), inputs=inputs)
    except TooManyErrorsError:
        last = Diagnostic(
            "UB0234",
            f"more than {limits.errors:,} errors: the rest is not looked at",
            None,
            help=("correct these first, or raise the limit with `--max-errors`",),
        )
    except OverLimitError as over:
        last = Diagnostic(
            "UB0411",
            f"to check this takes more than {over.limit:,} steps",
            None if over.span is None else Label(over.span, "came to the limit here"),
            help=(
                "build it from assemblies of assemblies, which are checked once for each type, or raise the limit with "
                "`--max-work`",
            ),
        )
    return Compilation((*sink, last), {}, (), (source,))


def compile_again(inputs: Inputs, settings: Mapping[str, str], read: Read) -> Compilation:
    """Return a text compiled with other values set beside it, as far as its machines go: questions, scenarios and views
    are not checked, and names that are not used are not looked for.

    Args:
        inputs: those of a compilation without errors.
        settings: values that stand in place of what the text says, on top of those of the inputs.
        read: gives the tree of a source, which need not be parsed each time.
    """
    sink = Sink(inputs.limits.errors)
    changed = evolve(inputs, settings={**inputs.settings, **settings})
    try:
        with limited(inputs.limits.work):
            return evolve(_machines(changed, sink, read), inputs=changed)
    except (TooManyErrorsError, OverLimitError):
        return _compile(inputs.source, inputs.library, sink, inputs.limits, changed.settings, read)


def _machines(inputs: Inputs, sink: Sink, read: Read) -> Compilation:
    """Return what the passes up to expectations make of a text: every plan, checked."""
    model = bind(inputs.source, inputs.library, sink, read)
    given = read_settings(inputs.settings, sink)
    apply(model, given, sink)
    wrong = tuple(diagnostic for diagnostic in sink if of_settings(diagnostic))
    if wrong:  # what is meant is not known, so the rest is another machine
        return Compilation(wrong, {}, (), (inputs.source,))
    done = with_settings(elaborate(model, sink, inputs.limits), model, given, sink)
    for plan in (*done.plans.values(), *done.others):
        check(plan, sink)
    results = expectations(done, model, sink)
    plans = {} if sink.has_errors else done.plans
    sources = (*(module.source for module in model.modules), *(each.source for each in given))
    return Compilation(tuple(sink), plans, results, sources, (), model, done, plans)


def _passes(inputs: Inputs, sink: Sink, read: Read) -> Compilation:
    machines = _machines(inputs, sink, read)
    if machines.elaborated is None or machines.model is None:
        return machines
    model, done = machines.model, machines.elaborated
    given = read_settings(inputs.settings, Sink())
    by_cables = check_queries(done, model, sink, frozenset(broken(done.elaborator, sink)))
    if not sink.has_errors:
        for plan in done.variants.values():
            check(plan, sink)
        unused(model, sink)
    for scenario in by_cables if not sink.has_errors else ():
        _check_outages(scenario, model, done, sink)
    if not sink.has_errors:
        _check_views(model, done, sink)
    once = merge_repeated(sink, lambda span: _enclosing(span, model))
    types = Places((kind.span, key) for key, kind in done.elaborator.types.items() if kind.span is not None)
    diagnostics = tuple(
        noting(_add_instance_count(_add_instantiation_label(each, done, types), done, types), given) for each in once
    )
    if sink.left_out:
        diagnostics += (Diagnostic("UB0234", f"and {sink.left_out:,} more warnings", None, severity=Severity.NOTE),)
    plans = {} if sink.has_errors else done.plans
    library_plans = () if sink.has_errors else done.others
    return evolve(machines, diagnostics=diagnostics, plans=plans, library=library_plans)


def _check_outages(scenario: str, model: Model, done: Elaborated, sink: Sink) -> None:
    """Follow the lines of a scenario on the cables themselves: a port or a pair may have none."""
    from unifiedbus_dsl.ir.fabric.expand import expand
    from unifiedbus_dsl.semantic.queries.set_overrides import resolve_items
    from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
    from unifiedbus_dsl.semantic.select.resolve_outages import resolve_outages
    from unifiedbus_dsl.semantic.values.evaluate import Evaluator
    from unifiedbus_dsl.semantic.values.scope import Scope

    asked = model.asked(tree.Scenario)
    plan = done.variants.get(scenario) or done.plans[asked[scenario].of.text]
    evaluator = Evaluator(Scope(model.main, lets=done.elaborator.lets), sink)
    resolve_outages(FabricSelector.of(expand(plan), model, evaluator), resolve_items(scenario, asked))


def _check_views(model: Model, done: Elaborated, sink: Sink) -> None:
    """Read every view as a picture would: what it asks for may be nothing that can be drawn."""
    for view in model.asked(tree.View).values():
        if view.of.text in done.plans:
            from unifiedbus_dsl.semantic.queries.views import read_view
            from unifiedbus_dsl.semantic.values.evaluate import Evaluator
            from unifiedbus_dsl.semantic.values.scope import Scope

            evaluator = Evaluator(Scope(model.main, lets=done.elaborator.lets), sink)
            read_view(view, done.plans[view.of.text], evaluator)


def _add_instantiation_label(diagnostic: Diagnostic, done: Elaborated, types: Places[str]) -> Diagnostic:
    """Say once how many instances of the type a mistake is in."""
    if diagnostic.primary is None or diagnostic.severity is not Severity.ERROR:
        return diagnostic
    around = types.around(diagnostic.primary.span)
    for plan in done.plans.values():
        keys = [key for key in around if key in plan.instances]
        count = sum(plan.instances[key] for key in keys)
        if keys and count > 1:
            where = f"in {plan.type(keys[0]).kind} `{keys[0]}` ({count:,} instances)"
            notes = diagnostic.notes
            merged = (f"{notes[0]} {where}", *notes[1:]) if notes and notes[0].endswith(_COUNTED) else (*notes, where)
            return evolve(diagnostic, notes=merged)
    return diagnostic


def _enclosing(span: Span, model: Model) -> int:
    """Where the statement of the file begins that a place is in; -1 outside of any."""
    module = model.modules_by_source.get(span.source)
    statements = module.file.places.around(span) if module is not None else ()
    return statements[0].span.start if statements else -1


def _add_instance_count(diagnostic: Diagnostic, done: Elaborated, types: Places[str]) -> Diagnostic:
    """Say where the arguments come from, for an error in a type that only occurs with arguments."""
    if diagnostic.primary is None or diagnostic.severity is not Severity.ERROR:
        return diagnostic
    span = diagnostic.primary.span
    elaborator = done.elaborator
    keys = types.around(span)
    if not keys or any("(" not in key or key not in elaborator.asked for key in keys):
        return diagnostic
    label = Label(elaborator.asked[keys[0]], f"asks for `{keys[0]}`")
    return evolve(diagnostic, labels=(*diagnostic.labels, label))


_COUNTED = ("collision", "collisions", "such port", "such ports")
