"""Answers in the types of the language server protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from attrs import frozen
from lsprotocol import types as lsp

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Edit, Severity
from unifiedbus_dsl.diagnostics.fix import apply_fixes
from unifiedbus_dsl.editor.completion import Completion
from unifiedbus_dsl.editor.entries import Mention, file_key
from unifiedbus_dsl.editor.outline import MODIFIERS, SORTS, Fold, Hint, OutlineItem, colours
from unifiedbus_dsl.editor.positions import Positions
from unifiedbus_dsl.editor.project import Document
from unifiedbus_dsl.syntax import tree

SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}
UNUSED = frozenset(("UB0208", "UB0226"))
"""Codes of what nothing uses: editors show it faded."""
LEGEND = lsp.SemanticTokensLegend(token_types=list(SORTS), token_modifiers=list(MODIFIERS))
SYMBOLS = {
    "type": lsp.SymbolKind.Class,
    "protocol": lsp.SymbolKind.Interface,
    "link": lsp.SymbolKind.Interface,
    "system": lsp.SymbolKind.Module,
    "traffic": lsp.SymbolKind.Event,
    "workload": lsp.SymbolKind.Event,
    "analyze block": lsp.SymbolKind.Function,
    "scenario": lsp.SymbolKind.Event,
    "explore block": lsp.SymbolKind.Function,
    "view": lsp.SymbolKind.File,
    "value": lsp.SymbolKind.Constant,
    "part": lsp.SymbolKind.Object,
    "port": lsp.SymbolKind.Property,
    "field": lsp.SymbolKind.Field,
}
KINDS = {
    "keyword": lsp.CompletionItemKind.Keyword,
    "type": lsp.CompletionItemKind.Class,
    "protocol": lsp.CompletionItemKind.Interface,
    "link": lsp.CompletionItemKind.Interface,
    "kind": lsp.CompletionItemKind.Keyword,
    "part": lsp.CompletionItemKind.Variable,
    "port": lsp.CompletionItemKind.Property,
    "field": lsp.CompletionItemKind.Field,
    "parameter": lsp.CompletionItemKind.TypeParameter,
    "system": lsp.CompletionItemKind.Module,
    "measure": lsp.CompletionItemKind.Function,
    "traffic pattern": lsp.CompletionItemKind.Function,
    "form of a workload": lsp.CompletionItemKind.Function,
    "function": lsp.CompletionItemKind.Function,
    "unit": lsp.CompletionItemKind.Unit,
    "file": lsp.CompletionItemKind.File,
    "import": lsp.CompletionItemKind.Module,
}


def path_of(uri: str) -> Path:
    """Return the file of a URI; of one that names none, such as an untitled text, a name to know it by."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri.replace("/", "_"))


@frozen
class Converter:
    """Writes answers in the protocol's types. `uris` are those that the client has given texts by, by file."""

    encoding: str
    uris: dict[str, str]

    def uri(self, source: Source) -> str:
        """Return the URI of a source: the client's own, where it has opened it."""
        known = self.uris.get(file_key(source))
        if known is not None:
            return known
        return "" if source.path is None else source.path.resolve().as_uri()

    def positions(self, source: Source) -> Positions:
        return Positions.of(source, self.encoding)

    def offset(self, source: Source, position: lsp.Position) -> int:
        return self.positions(source).offset(position.line, position.character)

    def range(self, span: Span) -> lsp.Range:
        return self.ranges([span])[0]

    def ranges(self, spans: Sequence[Span]) -> list[lsp.Range]:
        """Return spans, of one source or several, as ranges."""
        known: dict[int, Positions] = {}
        ranges = []
        for span in spans:
            at = known.setdefault(id(span.source), self.positions(span.source))
            (line, column), (last, end) = at.place(span.start), at.place(span.end)
            ranges.append(lsp.Range(lsp.Position(line, column), lsp.Position(last, end)))
        return ranges

    def locations(self, spans: Sequence[Span]) -> list[lsp.Location]:
        ranges = self.ranges(spans)
        return [lsp.Location(self.uri(span.source), place) for span, place in zip(spans, ranges, strict=True)]

    # -- diagnostics and edits

    def diagnostics(self, document: Document) -> list[lsp.Diagnostic]:
        """Return the findings in a text; those in a file that it uses are told, together, where it is used."""
        own, elsewhere = [], dict[str, list[Diagnostic]]()
        for each in document.compilation.diagnostics:
            if each.primary is None or each.primary.span.source is document.source:
                own.append(self.diagnostic(document.source, each))
            else:
                elsewhere.setdefault(file_key(each.primary.span.source), []).append(each)
        return own + [self._of_used(document, found) for found in elsewhere.values()]

    def diagnostic(self, source: Source, found: Diagnostic) -> lsp.Diagnostic:
        label = found.primary.text if found.primary is not None else ""
        lines = [found.message, label, *found.notes, *(f"help: {text}" for text in found.help)]
        where = found.primary.span if found.primary is not None else Span(source, 0, 0)
        related = [
            lsp.DiagnosticRelatedInformation(place, each.text or "here")
            for each, place in zip(found.labels, self.locations([each.span for each in found.labels]), strict=True)
            if place.uri
        ]
        return lsp.Diagnostic(
            range=self.range(where),
            message="\n".join(line for line in lines if line),
            severity=SEVERITIES[found.severity],
            code=found.code,
            source="ubusc",
            related_information=related or None,
            tags=[lsp.DiagnosticTag.Unnecessary] if found.code in UNUSED else None,
        )

    def _of_used(self, document: Document, found: Sequence[Diagnostic]) -> lsp.Diagnostic:
        first = found[0]
        assert first.primary is not None
        source = first.primary.span.source
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return lsp.Diagnostic(
            range=self.range(_use_of(document, source)),
            message=f"`{source.name}`, line {first.primary.span.line}: {first.message}{more}",
            severity=max((SEVERITIES[each.severity] for each in found), key=lambda severity: -severity.value),
            code=first.code,
            source="ubusc",
            related_information=[
                lsp.DiagnosticRelatedInformation(place, each.message)
                for each, place in zip(found, self.locations([d.primary.span for d in found if d.primary]), strict=True)
            ],
        )

    def workspace_edit(self, edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
        """Return edits by file."""
        changes: dict[str, list[lsp.TextEdit]] = {}
        for edit in edits:
            changes.setdefault(self.uri(edit.span.source), []).append(lsp.TextEdit(self.range(edit.span), edit.text))
        return lsp.WorkspaceEdit(changes=changes)

    def actions(self, document: Document, wanted: Span) -> list[lsp.CodeAction]:
        """Return the fixes of what is wrong in a stretch of a text, and one that makes all fixes of the text."""
        actions = []
        fixable = [d for d in document.compilation.diagnostics if d.fix and d.primary and _in(d, document.source)]
        for each in fixable:
            assert each.fix is not None
            assert each.primary is not None
            if each.primary.span.start <= wanted.end and each.primary.span.end >= wanted.start:
                actions.append(
                    lsp.CodeAction(
                        title=each.fix.title,
                        kind=lsp.CodeActionKind.QuickFix,
                        diagnostics=[self.diagnostic(document.source, each)],
                        edit=self.workspace_edit(each.fix.edits),
                        is_preferred=True,
                    )
                )
        if len(fixable) > 1:
            actions.append(self.fix_all(document))
        return actions

    def fix_all(self, document: Document) -> lsp.CodeAction:
        """Return the action that `ubusc check --fix` takes on a text."""
        fixed = next(
            (each for each in apply_fixes(document.compilation.diagnostics) if each.source is document.source), None
        )
        text = document.source.text if fixed is None else fixed.text
        whole = Edit(Span(document.source, 0, len(document.source.text)), text)
        return lsp.CodeAction(
            title="make all fixes of this file",
            kind=lsp.CodeActionKind.SourceFixAll,
            edit=self.workspace_edit([whole]),
        )

    # -- shapes of the text

    def symbols(self, items: Iterable[OutlineItem]) -> list[lsp.DocumentSymbol]:
        return [
            lsp.DocumentSymbol(
                name=item.name,
                kind=SYMBOLS.get(item.noun, lsp.SymbolKind.Variable),
                detail=item.detail or item.noun,
                range=self.range(item.span),
                selection_range=self.range(item.word),
                children=self.symbols(item.inner),
            )
            for item in items
        ]

    def folding(self, folds: Iterable[Fold]) -> list[lsp.FoldingRange]:
        return [
            lsp.FoldingRange(
                start_line=fold.first - 1,
                end_line=fold.last - 1,
                kind=lsp.FoldingRangeKind.Comment if fold.comment else None,
            )
            for fold in folds
        ]

    def hints(self, source: Source, hints: Iterable[Hint]) -> list[lsp.InlayHint]:
        at = self.positions(source)
        return [
            lsp.InlayHint(
                position=lsp.Position(*at.place(hint.offset)),
                label=hint.text,
                tooltip=hint.about or None,
                padding_left=True,
            )
            for hint in hints
        ]

    def tokens(self, source: Source, mentions: Iterable[Mention]) -> lsp.SemanticTokens:
        """Return the names of a text with their colours, each token by its distance from the one before."""
        at, data = self.positions(source), list[int]()
        line, column, end = 0, 0, -1
        for span, sort, modifiers in colours(mentions):
            if span.start < end:
                continue
            end = span.end
            row, start = at.place(span.start)
            length = at.place(span.end)[1] - start
            mask = sum(1 << MODIFIERS.index(each) for each in modifiers)
            data += [row - line, start - (column if row == line else 0), length, SORTS.index(sort), mask]
            line, column = row, start
        return lsp.SemanticTokens(data=data)

    def completions(self, found: Sequence[Completion]) -> lsp.CompletionList:
        items = [
            lsp.CompletionItem(
                label=each.label,
                kind=KINDS.get(each.noun, lsp.CompletionItemKind.EnumMember),
                detail=each.noun,
                documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, each.doc) if each.doc else None,
                sort_text=f"{number:05}",
                filter_text=each.label,
                text_edit=lsp.TextEdit(self.range(each.span), each.insert),
                command=lsp.Command("complete", "editor.action.triggerSuggest") if each.retrigger else None,
            )
            for number, each in enumerate(found)
        ]
        return lsp.CompletionList(is_incomplete=False, items=items)


def _in(diagnostic: Diagnostic, source: Source) -> bool:
    return diagnostic.primary is not None and diagnostic.primary.span.source is source


def _use_of(document: Document, source: Source) -> Span:
    """Return the `use` by which a text comes to a file; of one that others use, the first `use` there is."""
    uses = [each for each in document.module.file.statements if isinstance(each, tree.Use)]
    for use in uses:
        module = document.types.module_of(use, document.module)
        if module is not None and module.source is source:
            return use.span
    return uses[0].span if uses else Span(document.source, 0, 0)
