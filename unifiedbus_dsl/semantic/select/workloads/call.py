"""The call of a form of workload with its arguments as values: `train(Llama405, batch = 2048, tensor = 8)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.select.workloads.stated import LEFT
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.workload.layout import ORDER, Layout
from unifiedbus_dsl.workload.model import Model

MOST = 10**9
"""The largest number of a workload, so that its divisors are found at once."""


class NotReadError(Exception):
    """Something of the call is wrong, and a diagnostic says so."""


@frozen(eq=False)
class WorkloadCall:
    """A call whose arguments are ones that its form takes. What is wrong with their values goes to the sink of the
    evaluator; `NotReadError` then ends the reading."""

    node: tree.Call
    evaluator: Evaluator

    @property
    def named(self) -> Mapping[str, tree.Expr]:
        return {arg.name.text: arg.value for arg in self.node.args if arg.name is not None}

    def model(self) -> Model:
        """Return the model that is the only argument without a name."""
        node = next(arg.value for arg in self.node.args if arg.name is None)
        model = self.evaluator.model(node)
        if model is None:
            raise NotReadError
        return model

    def number(self, name: str, default: int = 1, low: int = 1) -> int:
        """Return a whole number; the default where it is not given."""
        return self._whole(self.named[name], low) if name in self.named else default

    def _whole(self, node: tree.Expr, low: int = 1) -> int:
        value = self.evaluator.integer(node, low=low)
        if value is None:
            raise NotReadError
        if value > MOST:
            raise self.wrong(node, f"numbers of a workload are at most {MOST:,}", "write a smaller one")
        return value

    def share(self, name: str, default: float) -> float:
        """Return a number that need not be whole; the default where it is not given."""
        if name not in self.named:
            return default
        node = self.named[name]
        value = self.evaluator.quantity(node, NUMBER)
        if value is None:
            raise NotReadError
        if abs(value) > MOST:
            raise self.wrong(node, f"numbers of a workload are at most {MOST:,}", "write a smaller one")
        return float(value)

    def truth(self, name: str, default: bool) -> bool:
        """Return a truth value; the default where it is not given."""
        if name not in self.named:
            return default
        value = self.evaluator.truth(self.named[name])
        if value is None:
            raise NotReadError
        return value

    def word(self, name: str, default: str) -> str:
        """Return a word that is one of some; the default where it is not given."""
        node = self.named.get(name)
        return node.text if isinstance(node, tree.Name) else default

    def words(self, name: str, default: frozenset[str]) -> frozenset[str]:
        """Return words of a list, or a single one."""
        node = self.named.get(name)
        if node is None:
            return default
        items: Sequence[tree.Expr] = node.items if isinstance(node, tree.ListExpr) else (node,)
        return frozenset(each.text for each in items if isinstance(each, tree.Name))

    def option(self, name: str, default: tuple[str, int]) -> tuple[str, int]:
        """Return a word with the number behind it, `interleaved(2)`; 1 where it has none."""
        node = self.named.get(name)
        if not isinstance(node, tree.Call):
            return (node.text, 1) if isinstance(node, tree.Name) else default
        assert isinstance(node.function, tree.Name)
        return node.function.text, self._whole(node.args[0].value)

    def layout(self) -> tuple[Layout, tuple[tree.Along, ...]]:
        """Return how ranks are laid out, and the axes that lie along a dimension of the machine."""
        order, along = self.order()
        sizes = {axis: self.number(axis) for axis in ("tensor", "context", "pipeline", "expert")}
        return Layout(**sizes, data=self.number("data", LEFT), order=order), along

    # -- the order of axes

    def order(self) -> tuple[tuple[str, ...], tuple[tree.Along, ...]]:
        """Return the axes from the innermost, those that are not named behind the others in the usual order; and those
        that lie along a dimension of the machine."""
        node = self.named.get("order")
        if node is None:
            return ORDER, ()
        if not isinstance(node, tree.ListExpr):
            raise self.wrong(node, "`order` is a list of axes, the innermost first", f"write `[{', '.join(ORDER)}]`")
        words = [self._axis(item) for item in node.items]
        for k, word in enumerate(words):
            if word.text in [each.text for each in words[:k]]:
                raise self.wrong(word, f"`{word.text}` stands twice in the order", "name each axis once")
        named = tuple(each.text for each in words)
        along = tuple(each for each in node.items if isinstance(each, tree.Along))
        for each in along:
            if each.axis.text == "expert":
                help = "experts fold into tensor · context · data: say along what these lie"
                raise self.wrong(each, "`expert` lies along no dimension of its own", help)
        return named + tuple(each for each in ORDER if each not in named), along

    def _axis(self, item: tree.Expr) -> tree.Word:
        """Return the axis that an item of an order names."""
        word = item.axis if isinstance(item, tree.Along) else None
        if isinstance(item, tree.Name):
            word = tree.Word(item.text, span=item.span)
        if word is None:
            raise self.wrong(item, f"an axis is wanted: one of {', '.join(ORDER)}", "such as `tensor along board`")
        if word.text not in ORDER:
            guess = did_you_mean(word.text, ORDER)
            help = f"did you mean `{guess}`?" if guess else f"it is one of {', '.join(ORDER)}"
            raise self.wrong(word, f"there is no axis `{word.text}`", help, guess)
        return word

    def wrong(self, node: tree.Node, message: str, help: str, guess: str | None = None) -> NotReadError:
        """Say what is wrong at a place, and what to do."""
        fix = rename(node.span, guess) if guess else None
        self.evaluator.sink.error("UB0705", message, node.span, "here", help=(help,), fix=fix)
        return NotReadError()
