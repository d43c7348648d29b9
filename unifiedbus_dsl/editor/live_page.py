"""A page that shows a text as it was last saved: its pictures, and what is wrong with it. For this computer alone.

The page asks for the state after the one it has, and the answer waits until there is one. Nothing in it is fetched from
anywhere; what a text says stands in it as text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import define, field, frozen

from unifiedbus_dsl.escape import html

LOOPBACK = "127.0.0.1"
LONGEST_WAIT = 20.0
"""Seconds after which a page is answered that nothing is new, and asks again."""


@frozen
class Shown:
    """What a page shows: the name of the file, what is wrong as text, whether it is an error, pictures by system."""

    file: str
    findings: str = ""
    wrong: bool = False
    pictures: Mapping[str, str] = field(factory=dict)


@define(eq=False)
class Board:
    """The state that pages show, by number; who waits for the next one is woken."""

    _shown: Shown
    _number: int = 0
    _closed: bool = False
    _changed: threading.Condition = field(factory=threading.Condition)

    def put(self, shown: Shown) -> None:
        """Show another state. One that is wrong keeps the last good pictures."""
        with self._changed:
            pictures = shown.pictures or (self._shown.pictures if shown.wrong else {})
            self._shown = Shown(shown.file, shown.findings, shown.wrong, pictures)
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def after(self, number: int, wait: float = LONGEST_WAIT) -> tuple[int, Shown]:
        """Return the state with its number, as soon as that is another one than `number`, or after some seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._number != number, wait)
            return self._number, self._shown


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    board: Board


def serve(board: Board, port: int) -> _Server:
    """Return a server on this computer's own address; a port of 0 is any that is free.

    Raises:
        OSError: the port is taken, or may not be.
    """
    server = _Server((LOOPBACK, port), _Handler)
    server.board = board
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return server


def address(server: _Server) -> str:
    """Return where a browser finds the page."""
    return f"http://{LOOPBACK}:{server.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if not self._is_own():
            self._answer(403, "text/plain", "this page is for this computer alone")
        elif asked.path == "/":
            self._answer(200, "text/html", PAGE)
        elif asked.path == "/state":
            self._answer(200, "application/json", self._state(parse_qs(asked.query)))
        else:
            self._answer(404, "text/plain", "there is nothing here")

    def _is_own(self) -> bool:
        """Return whether it was asked by this address: a site elsewhere can give its own name this address."""
        port = self.server.server_address[1]
        return self.headers.get("Host") in (f"{LOOPBACK}:{port}", f"localhost:{port}")

    def _state(self, query: Mapping[str, list[str]]) -> str:
        said = query.get("after", ["-1"])[0]
        number, shown = self.server.board.after(int(said) if said.isascii() and said.isdigit() else -1)
        state: dict[str, Any] = {
            "number": number,
            "file": shown.file,
            "findings": shown.findings,
            "wrong": shown.wrong,
            "pictures": [{"system": system, "svg": svg} for system, svg in shown.pictures.items()],
        }
        return json.dumps(state)

    def _answer(self, status: int, kind: str, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is on the terminal is about the text."""


_SCRIPT = """
let number = -1;
const findings = document.getElementById("findings"), pictures = document.getElementById("pictures");
const show = (state) => {
  document.title = (state.wrong ? "\\u2717 " : "") + state.file;
  document.getElementById("file").textContent = state.file;
  findings.textContent = state.findings || "no errors";
  findings.className = state.wrong ? "wrong" : "";
  pictures.className = state.wrong ? "old" : "";
  pictures.replaceChildren(...state.pictures.map(({ system, svg }) => {
    const figure = document.createElement("figure"), words = document.createElement("figcaption");
    const image = document.createElement("img");
    words.textContent = system;
    image.alt = "the system " + system;
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
    figure.append(words, image);
    return figure;
  }));
};
const follow = async () => {
  for (;;) {
    try {
      const state = await (await fetch("/state?after=" + number)).json();
      document.body.className = "";
      if (state.number !== number) show(state);
      number = state.number;
    } catch {
      document.body.className = "ended";
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
};
follow();
"""
_STYLE = """
:root { color-scheme: light dark } body { font: 15px system-ui, sans-serif; margin: 1.5em; max-width: 80em }
pre { white-space: pre-wrap; font: 13px ui-monospace, monospace; padding: .8em; border-left: 4px solid #2a2 }
pre.wrong { border-color: #c33 } figure { margin: 1em 0 } img { max-width: 100%; background: white }
.old img { opacity: .4 } .ended::before { content: "ubusc watch has ended"; color: #c33 }
"""
POLICY = (
    f"default-src 'none'; connect-src 'self'; img-src data:; script-src {html.source_hash(_SCRIPT)}; "
    f"style-src {html.source_hash(_STYLE)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEAD = (
    f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>ubusc</title><style>{_STYLE}</style></head>\n'
)
_BODY = f'<h1 id="file"></h1><pre id="findings"></pre><div id="pictures"></div>\n<script>{_SCRIPT}</script>'
PAGE = f"{_HEAD}<body>{_BODY}</body></html>\n"
