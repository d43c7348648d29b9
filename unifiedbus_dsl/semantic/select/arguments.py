"""The arguments with a name that a measure, a pattern of traffic or a routing is given, against what it takes."""

from __future__ import annotations

from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.bind import dotted_name
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import MEASURES, ROUTINGS, TRAFFICS, Argument, Signature, words_of


def check_arguments(node: tree.Call, sink: Sink, legal: tuple[str, ...] | None = None) -> bool:
    """Whether all arguments with a name are ones that the call takes, each once, with a word where one of some words is
    wanted; the first that is not is said. `legal` are the names where not all that the language takes are."""
    name = ".".join(dotted_name(node.function))
    signature: Signature | None = MEASURES[name] if name in MEASURES else TRAFFICS.get(name)
    if signature is None:
        return True
    if not _names(node, name, signature.named if legal is None else legal, sink):
        return False
    given = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
    if name == "permutation" and "seed" not in given:
        return _wrong(sink, node, "a random permutation needs a seed", "write `permutation(all npu, seed = 1)`")
    if "stride" in given and "groups" not in given:
        return _wrong(sink, given["stride"], "`stride` goes with `groups`", "write `groups = 32, stride = 8`")
    return _words(signature, node, sink)


def _words(signature: Signature, node: tree.Call, sink: Sink) -> bool:
    """Whether each argument that is one of some words is one of them."""
    given = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
    asked = [(each, given[each.name]) for each in signature.arguments if each.name in given and words_of(each)]
    return all(_word(each, value, sink) for each, value in asked)


def _names(node: tree.Call, name: str, legal: tuple[str, ...], sink: Sink) -> bool:
    first: dict[str, tree.Arg] = {}
    for arg in node.args:
        if arg.name is None:
            continue
        word = arg.name.text
        if word not in legal:
            guess = did_you_mean(word, legal)
            takes = ", ".join(f"`{each}`" for each in legal) or "no named argument"
            sink.error(
                "UB0705",
                f"`{name}` takes {takes}",
                arg.name.span,
                "here",
                help=(f"did you mean `{guess}`?" if guess else "delete it",),
                fix=rename(arg.name.span, guess),
            )
            return False
        if word in first:
            labels = (Label(first[word].span, "given here"),)
            sink.error("UB0705", f"`{name}` is given `{word}` twice", arg.span, "and here again", labels=labels)
            return False
        first[word] = arg
    return True


def _word(argument: Argument, node: tree.Expr, sink: Sink) -> bool:
    """Whether a value is one of the words that an argument may be, or a routing with options."""
    name, words = argument.name, words_of(argument)
    called = node.function if isinstance(node, tree.Call) and name == "routing" else node
    word = called.text if isinstance(called, tree.Name) else ""
    if word not in words:
        guess = did_you_mean(word, words)
        help = (f"did you mean `{guess}`?",) if guess else ()
        said = f"`{name}` is one of " + ", ".join(words)
        sink.error("UB0705", said, called.span, "here", help=help, fix=rename(called.span, guess))
        return False
    if not isinstance(node, tree.Call):
        return True
    for arg in node.args:
        if arg.name is None:
            takes = ", ".join(f"`{each} = …`" for each in ROUTINGS[word].named) or "no argument"
            return _wrong(sink, arg, f"`{word}` takes {takes}", "")
    return _names(node, word, ROUTINGS[word].named, sink) and _words(ROUTINGS[word], node, sink)


def _wrong(sink: Sink, node: tree.Node, message: str, help: str) -> bool:
    sink.error("UB0705", message, node.span, "here", help=(help,) if help else ())
    return False
