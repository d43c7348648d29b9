"""The arguments with a name that a measure, a pattern of traffic or a routing is given, against what it takes."""

from __future__ import annotations

from collections.abc import Sequence

from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary import attributes, foreign
from unifiedbus_dsl.vocabulary.signatures import (
    TRAFFICS,
    Argument,
    Registry,
    Signature,
    Takes,
    signature_of,
    words_of,
)


def check_arguments(node: tree.Call, sink: Sink, legal: tuple[str, ...] | None = None) -> bool:
    """Return whether all arguments with a name are ones that the call takes, each once, with a word where one of some
    words is wanted; the first that is not is said. `legal` are the names where not all that the language takes are."""
    name = ".".join(dotted_name(node.function))
    signature = signature_of(name)
    if signature is None:
        return True
    if not _names(node, name, signature.named if legal is None else legal, sink):
        return False
    if not _positional(node, signature, sink):
        return False
    given = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
    for each in signature.arguments:
        if each.required and each.name not in given and legal is None:
            return _wrong(sink, node, f"`{name}` needs `{each.name}`: {each.doc}", f"add `{each.name} = …`")
        if each.name in given and each.beside and each.beside not in given:
            message = f"`{each.name}` goes with `{each.beside}`"
            return _wrong(sink, given[each.name], message, f"write `{each.beside} = …, {each.name} = …`")
    return _words(signature, node, sink)


def _positional(node: tree.Call, signature: Signature, sink: Sink) -> bool:
    """Return whether a call has as many arguments without a name as it takes, of the sort that it takes."""
    plain, wanted = [arg for arg in node.args if arg.name is None], signature.positional
    if len(plain) < len(wanted) and wanted[len(plain)].name != "what":
        message = f"`{signature.name}` is asked without {wanted[len(plain)].takes.value}"
        return _wrong(sink, node, message, f"write `{_example(signature)}`")
    if len(plain) > len(wanted):
        message = f"`{signature.name}` takes {_many(len(wanted))} without a name, and {len(plain)} are given"
        return _wrong(sink, plain[len(wanted)], message, _meant_by(plain, len(wanted), signature))
    return all(_sort(arg.value, argument, signature, sink) for arg, argument in zip(plain, wanted, strict=False))


def _many(count: int) -> str:
    return "no argument" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"


_EXAMPLES = {
    Takes.SELECTION: "all npu",
    Takes.TRAFFIC: "alltoall(all npu)",
    Takes.COLLECTIVE: "allreduce(all npu, size = 1 GiB)",
    Takes.MEASURE: "load(alltoall(all npu))",
    Takes.FIELD: "all npu.memory",
    Takes.WORKLOAD: "WORKLOAD",
    Takes.MODEL: "MODEL",
}


def _example(signature: Signature) -> str:
    """Return how a measure or a pattern is asked."""
    if _of_pairs(signature):
        return f"{signature.name}(A -> B)"
    return f"{signature.name}({', '.join(_EXAMPLES.get(each.takes, '…') for each in signature.positional)})"


def _of_pairs(signature: Signature) -> bool:
    """Return whether the subject goes from some end points to others."""
    return any(each.name == "pairs" for each in signature.positional)


def _meant_by(plain: Sequence[tree.Arg], count: int, signature: Signature) -> str:
    """Return what the first argument that is too many was probably meant to be."""
    extra = plain[count].value
    if isinstance(extra, tree.Index) and isinstance(extra.base, tree.Name) and signature.argument(extra.base.text):
        value = extra.span.one_line.removeprefix(extra.base.text).strip()  # `beside [dp]` is read as a subscript
        return f"write `{extra.base.text} = {value}`"
    if signature.name == "sum" and isinstance(extra, tree.Name):
        return f"a field stands behind the selection: `sum({plain[0].span.one_line}.{extra.text})`"
    named = [each for each in signature.arguments if not each.positional]
    fits: Argument | None = None
    if isinstance(extra, tree.Name):
        fits = next((each for each in named if extra.text in words_of(each)), None)
    if isinstance(extra, tree.Number | tree.Quantity):
        sort = Takes.NUMBER if isinstance(extra, tree.Number) else Takes.QUANTITY
        fits = next((each for each in named if each.takes is sort and each.name != "groups"), None)
    if fits is not None:
        return f"write `{fits.name} = {extra.span.one_line}`"
    before = plain[count - 1].span.one_line if count else ""
    if _of_pairs(signature) and before:
        return f"from one to the other: `{before} -> {extra.span.one_line}`"
    if count and signature.positional[0].takes is Takes.SELECTION:
        return f"a selection of both is `{before} | {extra.span.one_line}`"
    return "delete it"


def _sort(node: tree.Expr, argument: Argument, signature: Signature, sink: Sink) -> bool:
    """Return whether what stands for an argument can be of the sort that it takes, as far as its text alone tells."""
    if argument.takes in (Takes.TRAFFIC, Takes.COLLECTIVE) and isinstance(node, tree.All | tree.Arrow):
        kind = "pairs" if isinstance(node, tree.Arrow) else "alltoall"
        example = "allreduce" if argument.takes is Takes.COLLECTIVE else kind
        message = "a traffic is wanted, and these are end points"
        return _wrong(sink, node, message, f"say who sends to whom: `{example}({node.span.one_line})`", "UB0709")
    if argument.takes is Takes.WORKLOAD and not isinstance(node, tree.Name | tree.Call):
        message = "a workload is wanted, the name of one or `train(…)`"
        return _wrong(sink, node, message, f"write `{_example(signature)}`", "UB0709")
    if argument.takes is not Takes.SELECTION:
        return True
    if isinstance(node, tree.Binary) and node.op in ("and", "or"):
        return _wrong(
            sink,
            node,
            "selections are joined by `|`",
            f"write `{node.left.span.one_line} | {node.right.span.one_line}`",
        )
    if isinstance(node, tree.Arrow) and argument.name == "ends":
        help = f"write `{signature.name}({node.left.span.one_line})`"
        help += f", or `pairs({node.span.one_line})` for these pairs alone" if signature.name in TRAFFICS else ""
        message = f"`{signature.name}` is about one selection, not from one to another"
        return _wrong(sink, node, message, help, "UB0709")
    if signature.name in ("incast", "pairs") and not isinstance(node, tree.Arrow):
        message = f"`{signature.name}` goes from some end points to others"
        return _wrong(sink, node, message, f"write `{signature.name}(A -> B)`", "UB0709")
    if argument.name == "assemblies" and isinstance(node, tree.All) and len(node.path) == 1:
        kind = node.path[0].text
        if kind in attributes.KINDS_OF_DEVICE and kind != "switch":
            message = "assemblies or switches are wanted: only they have a wall"
            return _wrong(sink, node, message, "such as `all rack`", "UB0709")
    if argument.name in ("ends", "pairs") and (kind := _without_end_points(node)):
        message = f"`{kind}` are no end points: they neither send nor receive"
        return _wrong(sink, node, message, f"write `{_example(signature)}`", "UB0709")
    return True


def _without_end_points(node: tree.Expr) -> str:
    """Return the selection of a kind that has none; empty for another one."""
    if isinstance(node, tree.All) and len(node.path) == 1:
        word = node.path[0].text
        if word in (*attributes.KINDS_OF_ASSEMBLY, "switch", "link", "port"):
            return f"all {word}"
    return ""


def _words(signature: Signature, node: tree.Call, sink: Sink) -> bool:
    """Return whether each argument that is one of some words is one of them."""
    given = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
    asked = [(each, given[each.name]) for each in signature.arguments if each.name in given and words_of(each)]
    return all(_word(each, item, sink) for each, value in asked for item in _items(each, value))


def _items(argument: Argument, node: tree.Expr) -> Sequence[tree.Expr]:
    """Return what must be a word: each item of a list where an argument takes several."""
    several = argument.takes is Takes.WORDS and isinstance(node, tree.ListExpr)
    return node.items if several and isinstance(node, tree.ListExpr) else (node,)


def _instead(arg: tree.Arg, word: str, signature: Signature | None) -> str:
    """Return what to do with an argument of a name that is not taken: one that comes first has none."""
    names = (
        {name for each in signature.positional for name in (each.name, each.takes.value.removeprefix("a "))}
        if signature
        else set()
    )
    if signature is not None and word in ("system", "of", "machine", "topology"):
        return f"another system is asked behind it: `{signature.name}(…) of {arg.value.span.one_line}`"
    return f"it has no name here: write `{arg.value.span.one_line}`" if word in names else "delete it"


def _names(node: tree.Call, name: str, legal: tuple[str, ...], sink: Sink) -> bool:
    signature = signature_of(name)
    first: dict[str, tree.Arg] = {}
    for arg in node.args:
        if arg.name is None:
            continue
        word = arg.name.text
        if word not in legal:
            meant = next((each for each in legal if word in foreign.ARGUMENTS.get(each, ())), None)
            guess = meant or did_you_mean(word, legal)
            takes = ", ".join(f"`{each}`" for each in legal) or "no named argument"
            sink.error(
                "UB0705",
                f"`{name}` takes {takes}",
                arg.name.span,
                "here",
                help=(f"did you mean `{guess}`?" if guess else _instead(arg, word, signature),),
                fix=None if meant else rename(arg.name.span, guess),
            )
            return False
        if word in first:
            labels = (Label(first[word].span, "given here"),)
            sink.error("UB0705", f"`{name}` is given `{word}` twice", arg.span, "and here again", labels=labels)
            return False
        first[word] = arg
    return True


def _word(argument: Argument, node: tree.Expr, sink: Sink) -> bool:
    """Return whether a value is one of the words that an argument may be, or such a word with options."""
    name, words = argument.name, words_of(argument)
    registry = argument.words if isinstance(argument.words, Registry) else None
    called = node.function if isinstance(node, tree.Call) and registry is not None else node
    word = called.text if isinstance(called, tree.Name) else ""
    if word not in words:
        meant = foreign.WORDS.get("".join(called.span.text.split()).casefold())
        guess = meant if meant in words else did_you_mean(word, words)
        help = (f"did you mean `{guess}`?",) if guess else ()
        said = f"`{name}` is one of " + ", ".join(words)
        sink.error("UB0705", said, called.span, "here", help=help, fix=rename(called.span, guess))
        return False
    if registry is None:
        return True
    return _options(node, registry[word], sink)


def _options(node: tree.Expr, option: Signature, sink: Sink) -> bool:
    """Return whether a word has the options that it takes: `valiant(via = switch)`, `interleaved(2)`."""
    if not isinstance(node, tree.Call):
        needed = [each for each in option.positional if not each.default]
        if not needed:
            return True
        return _wrong(sink, node, f"`{option.name}` is given no {needed[0].name}", f"write `{option.name}(2)`")
    plain = [arg for arg in node.args if arg.name is None]
    if len(plain) != len(option.positional):
        takes = ", ".join([each.doc for each in option.positional] + [f"`{each} = …`" for each in option.named])
        return _wrong(sink, plain[0] if plain else node, f"`{option.name}` takes {takes or 'no argument'}", "")
    return _names(node, option.name, option.named, sink) and _words(option, node, sink)


def _wrong(sink: Sink, node: tree.Node, message: str, help: str, code: str = "UB0705") -> bool:
    sink.error(code, message, node.span, "here", help=(help,) if help else ())
    return False
