// Enough of VS Code to run the extension outside of it: opens a text, asks what an editor asks, writes the answers down.
"use strict";

const Module = require("module");
const path = require("path");
const fs = require("fs");

const [folder, command, file] = [process.argv[2], JSON.parse(process.argv[3]), process.argv[4]];
const providers = {};
const commands = {};
const handlers = {};
const shown = { diagnostics: {}, messages: [] };

const holder = (names) => function (...values) { names.forEach((name, at) => (this[name] = values[at])); };
const Uri = { parse: (text) => ({ toString: () => text, path: decodeURIComponent(new URL(text).pathname), fsPath: decodeURIComponent(new URL(text).pathname) }) };
const disposable = { dispose() {} };
const on = (name) => (handler) => { handlers[name] = handler; return disposable; };
const languages = new Proxy({}, {
  get: (_, name) => {
    if (name === "createDiagnosticCollection")
      return () => ({ set: (uri, found) => (shown.diagnostics[uri.toString()] = found), dispose() {} });
    return (_selector, provider) => { Object.assign(providers, provider); return disposable; };
  },
});
class WorkspaceEdit { constructor() { this.edits = []; } replace(uri, range, text) { this.edits.push([uri.toString(), range, text]); } }

const vscode = {
  Position: holder(["line", "character"]), Range: holder(["start", "end"]), Location: holder(["uri", "range"]), Uri,
  Diagnostic: holder(["range", "message", "severity"]), DiagnosticRelatedInformation: holder(["location", "message"]),
  DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 }, MarkdownString: holder(["value"]),
  Hover: holder(["contents", "range"]), CompletionItem: holder(["label", "kind"]), WorkspaceEdit,
  DocumentSymbol: holder(["name", "detail", "kind", "range", "selectionRange"]), TextEdit: holder(["range", "newText"]),
  DocumentHighlight: holder(["range", "kind"]), FoldingRange: holder(["start", "end", "kind"]), FoldingRangeKind: { Comment: 1 },
  SemanticTokens: holder(["data"]), SemanticTokensLegend: holder(["types", "modifiers"]), InlayHint: holder(["position", "label"]),
  CodeAction: holder(["title", "kind"]), CodeActionKind: { QuickFix: "quickfix", SourceFixAll: "source.fixAll" },
  ViewColumn: { Beside: 2 }, languages,
  commands: { registerCommand: (name, run) => { commands[name] = run; return disposable; } },
  window: {
    showErrorMessage: (text) => shown.messages.push(text), showWarningMessage: (text) => shown.messages.push(text),
    createWebviewPanel: () => (shown.panel = { webview: { html: "" }, onDidDispose() {}, reveal() {} }),
  },
  workspace: {
    workspaceFolders: [{ uri: Uri.parse(`file://${folder}`), name: "specs" }], textDocuments: [],
    getConfiguration: () => ({ get: (name) => (name === "command" ? command : []) }),
    onDidOpenTextDocument: on("open"), onDidChangeTextDocument: on("change"),
    onDidSaveTextDocument: on("save"), onDidCloseTextDocument: on("close"),
  },
};

const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));
const extension = require(path.join(__dirname, "../../editors/vscode/extension.js"));

const until = async (test) => { for (let n = 0; n < 600 && !test(); n++) await new Promise((done) => setTimeout(done, 50)); };

(async () => {
  const uri = Uri.parse(`file://${file}`);
  const document = { uri, languageId: "ubus", version: 1, text: fs.readFileSync(file, "utf8"), getText() { return this.text; } };
  vscode.workspace.textDocuments.push(document);
  vscode.window.activeTextEditor = { document };
  await extension.activate({ subscriptions: [] });
  await until(() => shown.diagnostics[uri.toString()]);
  const first = shown.diagnostics[uri.toString()];
  const line = document.text.split("\n").findIndex((each) => each.includes(": HRS("));
  const at = { line, character: document.text.split("\n")[line].indexOf("HRS") + 1 };
  const answers = {
    first,
    hover: await providers.provideHover(document, at),
    definition: await providers.provideDefinition(document, at),
    completion: (await providers.provideCompletionItems(document, at)).map((each) => each.label),
    symbols: (await providers.provideDocumentSymbols(document)).map((each) => each.name),
    tokens: (await providers.provideDocumentSemanticTokens(document)).data.length,
    folds: (await providers.provideFoldingRanges(document)).length,
    hints: (await providers.provideInlayHints(document, { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } })).map((each) => each.label),
    rename: (await providers.provideRenameEdits(document, at, "Spine")).edits.length,
    refused: await providers.provideRenameEdits(document, at, "no name").catch((error) => error.message),
  };
  await commands["unifiedbus.picture"]();
  answers.picture = shown.panel.webview.html.length;
  answers.svg = shown.panel.webview.html.includes("<svg");
  delete shown.diagnostics[uri.toString()];
  document.text = document.text.replace(": HRS(", ": HSR(");
  document.version = 2;
  handlers.change({ document, contentChanges: [{}] });
  await until(() => shown.diagnostics[uri.toString()]);
  answers.then = shown.diagnostics[uri.toString()].map((each) => [each.code, each.severity, each.range.start.line]);
  answers.line = line;
  await until(() => shown.panel.webview.html.includes("opacity: 0.4"));
  answers.faded = shown.panel.webview.html.includes("opacity: 0.4");
  answers.actions = (await providers.provideCodeActions(document, { start: at, end: at })).map((each) => each.title);
  await extension.deactivate();
  console.log(JSON.stringify({ ...answers, messages: shown.messages }));
})().catch((error) => { console.error(error, shown.messages); process.exit(1); });
