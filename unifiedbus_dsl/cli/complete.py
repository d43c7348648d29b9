"""What a shell is offered behind `ubusc`: commands and options by click, and here the names of things."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from unifiedbus_dsl.cli.commands import COMMANDS

VARIABLE = "_UBUSC_COMPLETE"
TEXTS = (".ubus", ".npz")

Offer = Callable[[click.Context, str], Iterable[CompletionItem]]


class _CompletingGroup(click.Group):
    """The commands of another group, with what their parameters may be."""

    def __init__(self, group: click.Group) -> None:
        super().__init__(group.name, params=group.params, help=group.help)
        self._group = group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._group.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = self._group.get_command(ctx, cmd_name)
        for param in command.params if command is not None else ():
            offer = _offer(cmd_name, param)
            if offer is not None:
                setattr(param, "shell_complete", _completer(offer))  # noqa: B010 - a method of this one alone
        return command


def _completer(offer: Offer) -> Callable[[click.Context, str], list[CompletionItem]]:
    def complete(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return [item for item in offer(ctx, incomplete) if item.type != "plain" or item.value.startswith(incomplete)]

    return complete


def _offer(command: str, param: click.Parameter) -> Offer | None:
    """Who knows what a parameter may be: of an option by its name, of an argument by its command."""
    if isinstance(param, click.Argument):
        return {"explain": _explained, "import": _any_file, "completion": None, "man": _commands, "help": _topics}.get(
            command, _texts
        )
    options: dict[str, Offer] = {
        **{f"--{noun}": _of_file(noun) for noun in ("system", "scenario", "traffic", "workload", "view")},
        **dict.fromkeys(("--ask", "--measure"), _measures),
        **dict.fromkeys(("--of", "--node"), _parts),
        **dict.fromkeys(("-o", "--names", "--resume"), _any_file),
        "--to": _formats,
        "--routing": _routings,
        "--deny": _denied,
        "-I": _folder,
    }
    if command == "import":
        options["--format"] = _imported
    return next((options[name] for name in param.opts if name in options), None)


# ---- files ------------------------------------------------------------------------------------------------------


def _texts(_: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    """Return the texts and fabrics of the folder that is being named; where it has none, the shell's own file names."""
    folder, _slash, begun = incomplete.rpartition("/")
    where = Path(folder or ("/" if incomplete.startswith("/") else "."))
    before = incomplete[: len(incomplete) - len(begun)]
    try:
        names = sorted(name for name in os.listdir(where) if name.startswith(begun) and not name.startswith("."))
    except OSError:
        names = []
    texts = [name for name in names if name.endswith(TEXTS)]
    if not texts or any((where / name).is_dir() for name in names):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(before + name) for name in texts]


def _any_file(_: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def _folder(_: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _of_file(noun: str) -> Offer:
    """Return the systems, scenarios, … of the text that stands on the command line, as far as it can be read."""

    def offer(ctx: click.Context, _: str) -> Iterable[CompletionItem]:
        from unifiedbus_dsl.diagnostics import Sink
        from unifiedbus_dsl.semantic.names.model import NOUNS
        from unifiedbus_dsl.syntax.load import load
        from unifiedbus_dsl.syntax.parse import parse

        said = [ctx.params.get("file"), *(ctx.params.get("files") or ()), *ctx.args]
        named = next((str(each) for each in said if str(each).endswith(".ubus")), None)
        source = load(Path(named), Sink()) if named is not None else None
        statements = parse(source, Sink()).statements if source is not None else ()
        for statement in statements:
            if NOUNS.get(type(statement)) == noun:
                yield _item(statement.name.text, statement.doc)  # type: ignore[union-attr]  # each of them has a name

    return offer


# ---- words of the language and of the command -------------------------------------------------------------------


def _item(value: str, help: str | None) -> CompletionItem:
    return CompletionItem(value, help=" ".join((help or "").split()) or None)


def _formats(_: click.Context, __: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.export import FORMATS, find

    return [_item(name, find(name).title) for name in FORMATS]


def _imported(_: click.Context, __: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.importer import FORMS

    return [_item(form.name, form.title) for form in FORMS.values()]


def _measures(_: click.Context, __: str) -> Iterable[CompletionItem]:
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers what can be asked
    from unifiedbus_dsl.vocabulary.signatures import MEASURES

    return [_item(f"{name}(", each.doc) for name, each in MEASURES.items()]


def _routings(_: click.Context, __: str) -> Iterable[CompletionItem]:
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers what can be asked
    from unifiedbus_dsl.vocabulary.signatures import ROUTINGS

    return [_item(name, each.doc) for name, each in ROUTINGS.items()]


def _parts(_: click.Context, __: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.vocabulary.attributes import KINDS_OF_ASSEMBLY, KINDS_OF_DEVICE

    return [CompletionItem(kind) for kind in ("link", *KINDS_OF_DEVICE, *KINDS_OF_ASSEMBLY)]


def _codes(_: click.Context, __: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.diagnostics import catalogue

    return [_item(page.code, page.title) for page in catalogue.pages()]


def _explained(ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
    from unifiedbus_dsl.measures.reference import REGISTRIES

    registered = {name: each.doc for registry in reversed(REGISTRIES) for name, each in registry.items()}
    return [*_codes(ctx, incomplete), *(_item(name, doc) for name, doc in registered.items())]


def _denied(ctx: click.Context, incomplete: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.cli.report import WARNINGS

    return [CompletionItem(WARNINGS), *_codes(ctx, incomplete)]


def _topics(_: click.Context, __: str) -> Iterable[CompletionItem]:
    from unifiedbus_dsl.cli.help import topics

    return [_item(page.name, page.title) for page in topics()]


def _commands(_: click.Context, __: str) -> Iterable[CompletionItem]:
    return [_item(name, words) for name, words in COMMANDS.items()]


# ---- the shells -------------------------------------------------------------------------------------------------


def answer_shell(group: click.Group, instruction: str) -> int:
    """Answer what a completion script asks for."""
    from click.shell_completion import shell_complete

    return shell_complete(_CompletingGroup(group), {}, "ubusc", VARIABLE, instruction)


def script(command: click.Command, shell: str) -> str:
    """Return the script that a shell reads once; that of fish splits an offer at its first comma alone, for names and
    explanations have some too."""
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    assert known is not None
    written = known(command, {}, "ubusc", VARIABLE).source()
    return written.replace('string split ","', 'string split --max 1 ","') if shell == "fish" else written
