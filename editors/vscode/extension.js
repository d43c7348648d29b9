// The VS Code extension: what the editor asks goes to `ubusc lsp`, what that answers comes back in the editor's terms.
"use strict";

const vscode = require("vscode");
const { Client } = require("./client");

const LANGUAGE = { language: "ubus" };
const KINDS = ["Error", "Warning", "Information", "Hint"];

let client;
let diagnostics;
let registered = [];
const pictures = new Map();

// ---- from and to the protocol -----------------------------------------------------------------------------------

const place = (at) => new vscode.Position(at.line, at.character);
const range = (found) => new vscode.Range(place(found.start), place(found.end));
const location = (found) => new vscode.Location(vscode.Uri.parse(found.uri), range(found.range));
const point = (at) => ({ line: at.line, character: at.character });
const span = (found) => ({ start: point(found.start), end: point(found.end) });
const text = (document) => ({ textDocument: { uri: document.uri.toString() } });
const spot = (document, at) => ({ ...text(document), position: point(at) });

function markdown(found) {
  return new vscode.MarkdownString(typeof found === "string" ? found : found.value);
}

function diagnostic(found) {
  const made = new vscode.Diagnostic(range(found.range), found.message, vscode.DiagnosticSeverity[KINDS[found.severity - 1]]);
  made.code = found.code;
  made.source = found.source;
  made.tags = found.tags || [];
  made.relatedInformation = (found.relatedInformation || []).map(
    (each) => new vscode.DiagnosticRelatedInformation(location(each.location), each.message)
  );
  return made;
}

function edits(found) {
  const made = new vscode.WorkspaceEdit();
  for (const [uri, changes] of Object.entries((found && found.changes) || {}))
    for (const change of changes) made.replace(vscode.Uri.parse(uri), range(change.range), change.newText);
  return made;
}

function completion(found) {
  const made = new vscode.CompletionItem(found.label, found.kind - 1);
  made.detail = found.detail;
  made.documentation = found.documentation && markdown(found.documentation);
  made.sortText = found.sortText;
  made.range = range(found.textEdit.range);
  made.insertText = found.textEdit.newText;
  if (found.command) made.command = { command: found.command.command, title: found.command.title };
  return made;
}

function symbol(found) {
  const made = new vscode.DocumentSymbol(found.name, found.detail, found.kind - 1, range(found.range), range(found.selectionRange));
  made.children = (found.children || []).map(symbol);
  return made;
}

function action(found) {
  const kind = found.kind === "quickfix" ? vscode.CodeActionKind.QuickFix : vscode.CodeActionKind.SourceFixAll;
  const made = new vscode.CodeAction(found.title, kind);
  made.edit = edits(found.edit);
  made.isPreferred = found.isPreferred;
  made.diagnostics = (found.diagnostics || []).map(diagnostic);
  return made;
}

function hint(found) {
  const made = new vscode.InlayHint(place(found.position), found.label);
  made.paddingLeft = true;
  if (found.tooltip) made.tooltip = found.tooltip;
  return made;
}

const ask = (method, params) => client.request(`textDocument/${method}`, params);
const each = (make) => (found) => (found || []).map(make);

// ---- what the editor asks ---------------------------------------------------------------------------------------

function register(answers) {
  const languages = vscode.languages;
  const legend = answers.capabilities.semanticTokensProvider.legend;
  const known = new vscode.SemanticTokensLegend(legend.tokenTypes, legend.tokenModifiers);
  registered = [
    languages.registerHoverProvider(LANGUAGE, {
      provideHover: (document, at) =>
        ask("hover", spot(document, at)).then((found) => found && new vscode.Hover(markdown(found.contents), range(found.range))),
    }),
    languages.registerDefinitionProvider(LANGUAGE, {
      provideDefinition: (document, at) => ask("definition", spot(document, at)).then(each(location)),
    }),
    languages.registerTypeDefinitionProvider(LANGUAGE, {
      provideTypeDefinition: (document, at) => ask("typeDefinition", spot(document, at)).then(each(location)),
    }),
    languages.registerReferenceProvider(LANGUAGE, {
      provideReferences: (document, at, context) =>
        ask("references", { ...spot(document, at), context }).then(each(location)),
    }),
    languages.registerDocumentHighlightProvider(LANGUAGE, {
      provideDocumentHighlights: (document, at) =>
        ask("documentHighlight", spot(document, at)).then(
          each((found) => new vscode.DocumentHighlight(range(found.range), found.kind - 1))
        ),
    }),
    languages.registerRenameProvider(LANGUAGE, {
      provideRenameEdits: (document, at, newName) => ask("rename", { ...spot(document, at), newName }).then(edits),
      prepareRename: (document, at) => ask("prepareRename", spot(document, at)).then((found) => found && range(found)),
    }),
    languages.registerCompletionItemProvider(
      LANGUAGE,
      { provideCompletionItems: (document, at) => ask("completion", spot(document, at)).then((found) => each(completion)(found && found.items)) },
      ".", "@", '"'
    ),
    languages.registerDocumentSymbolProvider(LANGUAGE, {
      provideDocumentSymbols: (document) => ask("documentSymbol", text(document)).then(each(symbol)),
    }),
    languages.registerFoldingRangeProvider(LANGUAGE, {
      provideFoldingRanges: (document) =>
        ask("foldingRange", text(document)).then(
          each((found) => new vscode.FoldingRange(found.startLine, found.endLine, found.kind ? vscode.FoldingRangeKind.Comment : undefined))
        ),
    }),
    languages.registerDocumentSemanticTokensProvider(
      LANGUAGE,
      {
        provideDocumentSemanticTokens: (document) =>
          ask("semanticTokens/full", text(document)).then((found) => new vscode.SemanticTokens(new Uint32Array(found.data))),
      },
      known
    ),
    languages.registerDocumentFormattingEditProvider(LANGUAGE, {
      provideDocumentFormattingEdits: (document, options) =>
        ask("formatting", { ...text(document), options }).then(
          each((found) => new vscode.TextEdit(range(found.range), found.newText))
        ),
    }),
    languages.registerCodeActionsProvider(LANGUAGE, {
      provideCodeActions: (document, where) =>
        ask("codeAction", { ...text(document), range: span(where), context: { diagnostics: [] } }).then(each(action)),
    }),
    languages.registerInlayHintsProvider(LANGUAGE, {
      provideInlayHints: (document, where) => ask("inlayHint", { ...text(document), range: span(where) }).then(each(hint)),
    }),
  ];
}

// ---- what the server tells --------------------------------------------------------------------------------------

function told(method, params) {
  if (method === "textDocument/publishDiagnostics") {
    diagnostics.set(vscode.Uri.parse(params.uri), params.diagnostics.map(diagnostic));
    const picture = pictures.get(params.uri);
    if (picture) draw(picture, params.uri);
  } else if (method === "window/showMessage") {
    vscode.window.showWarningMessage(params.message);
  }
}

function open(document) {
  if (client && document.languageId === "ubus")
    client.notify("textDocument/didOpen", {
      textDocument: { uri: document.uri.toString(), languageId: "ubus", version: document.version, text: document.getText() },
    });
}

async function start() {
  const settings = vscode.workspace.getConfiguration("unifiedbus");
  const folders = (vscode.workspace.workspaceFolders || []).map((each) => ({ uri: each.uri.toString(), name: each.name }));
  const folder = vscode.workspace.workspaceFolders && vscode.workspace.workspaceFolders[0].uri.fsPath;
  client = new Client(settings.get("command"), folder, told, (reason) =>
    vscode.window.showErrorMessage(`UnifiedBus: ${reason}`)
  );
  const answers = await client.request("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: folders,
    capabilities: {},
    initializationOptions: { search: settings.get("search") },
  });
  client.notify("initialized", {});
  register(answers);
  vscode.workspace.textDocuments.forEach(open);
}

async function stop() {
  registered.forEach((each) => each.dispose());
  registered = [];
  if (client) await client.stop();
  client = undefined;
}

// ---- the picture beside the text --------------------------------------------------------------------------------

const escaped = (words) => words.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** The picture of a text; the last good one stays, faded, while the text has errors. */
async function draw(picture, uri) {
  const found = await client.request("ubusc/picture", { uri }).catch((error) => ({ error: error.message }));
  if (found.svg) picture.svg = found.svg.replace(/^<\?xml[^>]*\?>\s*/, "");
  const words = found.error ? `<p>${escaped(found.error)}</p>` : "";
  const shown = picture.svg ? `<div style="opacity: ${found.error ? 0.4 : 1}">${picture.svg}</div>` : "";
  picture.panel.webview.html = `<!DOCTYPE html><html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body { background: white; color: black } svg { max-width: 100%; height: auto }</style></head><body>${words}${shown}</body></html>`;
}

async function showPicture() {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.languageId !== "ubus" || !client) return;
  const uri = editor.document.uri.toString();
  let picture = pictures.get(uri);
  if (picture) return picture.panel.reveal();
  const name = editor.document.uri.path.split("/").pop();
  const panel = vscode.window.createWebviewPanel("unifiedbus", name, vscode.ViewColumn.Beside, { enableScripts: false });
  picture = { panel, svg: "" };
  pictures.set(uri, picture);
  panel.onDidDispose(() => pictures.delete(uri));
  await draw(picture, uri);
}

// ---- the extension ----------------------------------------------------------------------------------------------

async function activate(context) {
  diagnostics = vscode.languages.createDiagnosticCollection("ubusc");
  context.subscriptions.push(
    diagnostics,
    vscode.commands.registerCommand("unifiedbus.picture", showPicture),
    vscode.commands.registerCommand("unifiedbus.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidOpenTextDocument(open),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (client && document.languageId === "ubus" && contentChanges.length)
        client.notify("textDocument/didChange", {
          textDocument: { uri: document.uri.toString(), version: document.version },
          contentChanges: [{ text: document.getText() }],
        });
    }),
    vscode.workspace.onDidSaveTextDocument((document) => {
      if (client && document.languageId === "ubus") client.notify("textDocument/didSave", text(document));
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      if (client && document.languageId === "ubus") client.notify("textDocument/didClose", text(document));
    })
  );
  await start().catch((error) => vscode.window.showErrorMessage(`UnifiedBus: ${error.message}`));
}

module.exports = { activate, deactivate: stop };
