"""A client that speaks the language server protocol with `ubusc lsp` over standard input and output, as editors do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "import sys; from unifiedbus_dsl.cli import main; sys.exit(main())", "lsp"]
WAIT = 60.0


class AnswerError(AssertionError):
    """The server has answered with an error."""


class Client:
    """One server and what it has said: answers by number, notifications in order, seconds that each answer took."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.notified: list[dict[str, Any]] = []
        self.seconds: list[tuple[float, str]] = []
        self._number = 0
        self._queue: Queue[dict[str, Any] | None] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline().strip()) or not length:
                if not line:
                    self._queue.put(None)
                    return
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self._queue.put(json.loads(stream.read(length)))

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def notify(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def request(self, method: str, **params: Any) -> Any:
        """Return the answer to a request."""
        self._number += 1
        started = self._clock()
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._next(WAIT)
            if message.get("id") == self._number and "method" not in message:
                break
            self.notified.append(message)
        self.seconds.append((self._clock() - started, method))
        if "error" in message:
            raise AnswerError(f"{method}: {message['error']['message']}")
        return message["result"]

    def _clock(self) -> float:
        """Return the processor time of the server so far, which no busy machine stretches; else the time of day."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return time.perf_counter()
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _next(self, wait: float) -> dict[str, Any]:
        message = self._queue.get(timeout=wait)
        assert message is not None, "the server has ended"
        return message

    def diagnostics(self, uri: str, *, some: bool = False) -> list[dict[str, Any]]:
        """Return the diagnostics of a text that come next, or next with something in them."""
        while True:
            message = self._next(WAIT)
            self.notified.append(message)
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                if found or not some:
                    return found

    def drain(self) -> None:
        """Take what has been said unasked."""
        while True:
            try:
                message = self._queue.get_nowait()
            except Empty:
                return
            assert message is not None, "the server has ended"
            self.notified.append(message)

    # -- texts

    def open(self, path: Path, text: str | None = None) -> str:
        """Open a file, with another text than it holds where one is given; gives its URI."""
        uri = path.resolve().as_uri()
        item = {"uri": uri, "languageId": "ubus", "version": 1, "text": path.read_text() if text is None else text}
        self.notify("textDocument/didOpen", textDocument=item)
        return uri

    def change(self, uri: str, text: str, version: int = 2) -> None:
        self.notify(
            "textDocument/didChange", textDocument={"uri": uri, "version": version}, contentChanges=[{"text": text}]
        )

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        """Return the answer to a request about a place."""
        place = {"line": line, "character": character}
        return self.request(f"textDocument/{method}", textDocument={"uri": uri}, position=place, **more)

    def of(self, method: str, uri: str, **more: Any) -> Any:
        """Return the answer to a request about a whole text."""
        return self.request(f"textDocument/{method}", textDocument={"uri": uri}, **more)


@contextmanager
def serving(*folders: Path, capabilities: dict[str, Any] | None = None) -> Iterator[Client]:
    """Have a server that works in some folders; at the end it must have ended well, and said nothing of an error."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    try:
        client = Client(process)
        named = [{"uri": folder.resolve().as_uri(), "name": folder.name} for folder in folders]
        client.request(
            "initialize", processId=None, capabilities=capabilities or {}, workspaceFolders=named, rootUri=None
        )
        client.notify("initialized")
        yield client
        client.request("shutdown")
        client._send({"method": "exit"})
        _, errors = process.communicate(timeout=WAIT)
        assert b"Traceback" not in errors, errors.decode()
        assert process.returncode == 0
        shown = [each["params"] for each in client.notified if each.get("method") == "window/showMessage"]
        assert not shown, (shown, errors.decode())
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()
