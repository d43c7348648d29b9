"""The language server: what a client asks, answered by the pure functions of this folder.

Texts are taken whole at each change. Diagnostics follow when the typing pauses; every other answer is worked out of the
text as it is, which may be unfinished.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define, field
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Edit
from unifiedbus_dsl.editor import navigation
from unifiedbus_dsl.editor.completion import complete
from unifiedbus_dsl.editor.entries import file_key
from unifiedbus_dsl.editor.hover import hover
from unifiedbus_dsl.editor.outline import folds, hints, outline
from unifiedbus_dsl.editor.project import Document, Project
from unifiedbus_dsl.editor.protocol import LEGEND, Converter, path_of
from unifiedbus_dsl.syntax.format import FormatError
from unifiedbus_dsl.syntax.format import format as layout
from unifiedbus_dsl.version import VERSION

PAUSE = 0.12
"""Seconds without a change after which diagnostics are worked out."""
BETWEEN = 0.005
"""Seconds left for messages between two files that are read ahead."""
PICTURE = "ubusc/picture"


@define(eq=False)
class Session:
    """One client: its texts, and what waits to be told to it."""

    server: Any
    project: Project = field(factory=Project)
    uris: dict[str, str] = field(factory=dict)
    """The URIs of the open texts by file."""
    _waiting: dict[str, asyncio.TimerHandle] = field(factory=dict)

    @property
    def convert(self) -> Converter:
        return Converter(str(self.server.workspace.position_encoding or "utf-16").rpartition(".")[2].lower(), self.uris)

    def document(self, uri: str) -> Document | None:
        return self.project.document(path_of(uri))

    # -- texts

    def initialize(self, params: lsp.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or ()]
        folders = folders or [uri for uri in (params.root_uri,) if uri]
        self.project.folders = tuple(path_of(uri) for uri in folders)
        options = params.initialization_options
        search = options.get("search", ()) if isinstance(options, dict) else ()
        self.project.search = tuple(Path(str(each)) for each in search)

    def initialized(self, _: Any) -> None:
        """Begin to read the files of the folders, one at a time between messages, so that references know them."""
        self._read_next(iter(self.project.files()))

    def _read_next(self, paths: Iterator[Path]) -> None:
        path = next(paths, None)
        if path is not None:
            self.project.document(path)
            asyncio.get_running_loop().call_later(BETWEEN, self._read_next, paths)

    def opened(self, params: lsp.DidOpenTextDocumentParams) -> None:
        self._take(params.text_document.uri, params.text_document.text)

    def changed(self, params: lsp.DidChangeTextDocumentParams) -> None:
        for change in params.content_changes:
            self._take(params.text_document.uri, change.text)

    def _take(self, uri: str, text: str) -> None:
        path = path_of(uri)
        self.project.put(path, text)
        key = file_key(Source(str(path), "", path))
        self.uris[key] = uri
        self._tell_later(key)

    def saved(self, params: lsp.DidSaveTextDocumentParams) -> None:
        self.files_changed(params)

    def closed(self, params: lsp.DidCloseTextDocumentParams) -> None:
        path = path_of(params.text_document.uri)
        self.project.drop(path)
        self.uris.pop(file_key(Source(str(path), "", path)), None)
        self._publish(params.text_document.uri, [])

    def files_changed(self, _: Any) -> None:
        """Look at all open texts again: a file that they use may be another."""
        for key in self.uris:
            self._tell_later(key)

    # -- diagnostics

    def _tell_later(self, key: str) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting.cancel()
        self._waiting[key] = asyncio.get_running_loop().call_later(PAUSE, self._tell, key)

    def _tell(self, changed: str) -> None:
        """Publish the diagnostics of a text, and of the open ones that rest on it."""
        self._waiting.pop(changed, None)
        for key, uri in list(self.uris.items()):
            document = self.document(uri)
            if document is not None and (key == changed or changed in document.files):
                self._publish(uri, self.convert.diagnostics(document))

    def _publish(self, uri: str, found: list[lsp.Diagnostic]) -> None:
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found))

    # -- answers

    def at(self, params: Any) -> tuple[Document, int] | None:
        """Return the document and the offset that a request is about; None where there is no such text."""
        document = self.document(params.text_document.uri)
        if document is None:
            return None
        return document, self.convert.offset(document.source, params.position)

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        at = self.at(params)
        tip = hover(*at) if at is not None else None
        if tip is None:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, tip.markdown), self.convert.range(tip.span))

    def definition(self, params: lsp.DefinitionParams) -> list[lsp.Location]:
        at = self.at(params)
        return [] if at is None else self.convert.locations(navigation.definitions(*at))

    def type_definition(self, params: lsp.TypeDefinitionParams) -> list[lsp.Location]:
        at = self.at(params)
        return [] if at is None else self.convert.locations(navigation.type_definitions(*at))

    def references(self, params: lsp.ReferenceParams) -> list[lsp.Location]:
        at = self.at(params)
        if at is None:
            return []
        spans = navigation.references(self.project, *at)
        if not params.context.include_declaration:
            defined = {(file_key(span.source), span.start) for span in navigation.definitions(*at)}
            spans = [span for span in spans if (file_key(span.source), span.start) not in defined]
        return self.convert.locations(spans)

    def highlight(self, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        at = self.at(params)
        occurrences = navigation.occurrences(*at) if at is not None else []
        return [
            lsp.DocumentHighlight(
                self.convert.range(each.span),
                lsp.DocumentHighlightKind.Write if each.defines else lsp.DocumentHighlightKind.Read,
            )
            for each in occurrences
        ]

    def prepare_rename(self, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        at = self.at(params)
        return None if at is None else self.convert.range(_asked(lambda: navigation.renameable(self.project, *at)))

    def rename(self, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        at = self.at(params)
        if at is None:
            return None
        edits = _asked(lambda: navigation.rename(self.project, *at, params.new_name))
        return self.convert.workspace_edit(edits)

    def completion(self, params: lsp.CompletionParams) -> lsp.CompletionList | None:
        at = self.at(params)
        return None if at is None else self.convert.completions(complete(self.project, *at))

    def symbols(self, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = self.document(params.text_document.uri)
        return [] if document is None else self.convert.symbols(outline(document))

    def folding(self, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        document = self.document(params.text_document.uri)
        return [] if document is None else self.convert.folding(folds(document))

    def tokens(self, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        document = self.document(params.text_document.uri)
        if document is None:
            return lsp.SemanticTokens(data=[])
        return self.convert.tokens(document.source, document.mentions.all)

    def formatting(self, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        """Return the one layout of a text, none where it can't be read whole."""
        document = self.document(params.text_document.uri)
        if document is None:
            return []
        source = document.source
        try:
            text = layout(document.module.file)
        except FormatError:
            return []
        text = text.replace("\n", "\r\n") if "\r\n" in source.text else text
        whole = Edit(Span(source, 0, len(source.text)), text)
        return [] if text == source.text else [lsp.TextEdit(self.convert.range(whole.span), whole.text)]

    def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = self.document(params.text_document.uri)
        if document is None:
            return []
        start, end = (self.convert.offset(document.source, each) for each in (params.range.start, params.range.end))
        return self.convert.actions(document, Span(document.source, start, end))

    def hints(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = self.document(params.text_document.uri)
        if document is None:
            return []
        start, end = (self.convert.offset(document.source, each) for each in (params.range.start, params.range.end))
        return self.convert.hints(document.source, hints(document, start, end))

    def picture(self, params: Any) -> dict[str, str]:
        """Return the overview of a system of a text as SVG, or why there is none."""
        document = self.document(str(_get(params, "uri")))
        if document is None:
            return {"error": "there is no such text"}
        wanted = _get(params, "system")
        plans = document.compilation.plans
        if not plans:
            return {"error": "the text has errors, or no system"}
        plan = plans.get(str(wanted)) or next(iter(plans.values()))
        svg = plan._repr_svg_()
        return {"system": plan.system, "svg": svg} if svg is not None else {"error": "there is nothing to draw with"}


def _get(params: Any, name: str) -> Any:
    return params.get(name) if isinstance(params, dict) else getattr(params, name, None)


def _asked(answer: Callable[[], Any]) -> Any:
    """Return an answer; what can't be done is told to the client in the words of the refusal."""
    try:
        return answer()
    except navigation.RenameError as refused:
        raise JsonRpcException(str(refused), code=lsp.LSPErrorCodes.RequestFailed) from None


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether a line of the log is about a fault: a refusal is an answer."""
    return record.exc_info is None or not isinstance(record.exc_info[1], JsonRpcException)


def make_server() -> Any:
    """Return a server that waits to be started."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_fault)
    server = LanguageServer("ubusc", VERSION, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
    session = Session(server)
    for name, (handler, options) in _features(session).items():
        server.feature(name, options)(_named(handler))
    return server


def _named(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method as a plain function, which is what the server can mark as its own."""

    def answer(params: Any) -> Any:
        return handler(params)

    return answer


def _features(session: Session) -> dict[str, tuple[Callable[..., Any], Any]]:
    """Return what the server can do: the handler of each message, with what is registered of it."""
    return {
        lsp.INITIALIZE: (session.initialize, None),
        lsp.INITIALIZED: (session.initialized, None),
        lsp.TEXT_DOCUMENT_DID_OPEN: (session.opened, None),
        lsp.TEXT_DOCUMENT_DID_CHANGE: (session.changed, None),
        lsp.TEXT_DOCUMENT_DID_SAVE: (session.saved, None),
        lsp.TEXT_DOCUMENT_DID_CLOSE: (session.closed, None),
        lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: (session.files_changed, None),
        lsp.TEXT_DOCUMENT_HOVER: (session.hover, None),
        lsp.TEXT_DOCUMENT_DEFINITION: (session.definition, None),
        lsp.TEXT_DOCUMENT_TYPE_DEFINITION: (session.type_definition, None),
        lsp.TEXT_DOCUMENT_REFERENCES: (session.references, None),
        lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (session.highlight, None),
        lsp.TEXT_DOCUMENT_PREPARE_RENAME: (session.prepare_rename, None),
        lsp.TEXT_DOCUMENT_RENAME: (session.rename, lsp.RenameOptions(prepare_provider=True)),
        lsp.TEXT_DOCUMENT_COMPLETION: (session.completion, lsp.CompletionOptions(trigger_characters=[".", "@", '"'])),
        lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (session.symbols, None),
        lsp.TEXT_DOCUMENT_FOLDING_RANGE: (session.folding, None),
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: (session.tokens, LEGEND),
        lsp.TEXT_DOCUMENT_FORMATTING: (session.formatting, None),
        lsp.TEXT_DOCUMENT_CODE_ACTION: (
            session.actions,
            lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
        ),
        lsp.TEXT_DOCUMENT_INLAY_HINT: (session.hints, None),
        PICTURE: (session.picture, None),
    }
