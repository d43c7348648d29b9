"""A real browser without a window, spoken to over its debugging pipe: runs JavaScript, and says how long it took."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run --window-size=1200,800"
)
LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 50) for end in sys.argv[1:3]]
for place, end in zip((3, 4), ends):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads from descriptor 3, and writes to 4."""


class Browser:
    """One page of a browser. Messages are JSON that ends with a zero byte."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._last = 0
        self._rest = b""
        self._session: str | None = None

    def send(self, method: str, **arguments: Any) -> Any:
        """The result of a command.

        Raises:
            RuntimeError: the browser refuses.
        """
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _next(self) -> Mapping[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 16)
            if not part:
                raise RuntimeError("the browser has gone")
            self._rest += part
        found, _, self._rest = self._rest.partition(b"\0")
        answer: Mapping[str, Any] = json.loads(found)
        return answer

    def open(self, file: Path) -> None:
        """Show a page, and wait until it is there."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Page.enable")
        self.send("Page.navigate", url=file.as_uri())
        self.run("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))")
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, script: str) -> Any:
        """The value of an expression, that of a promise once it is kept.

        Raises:
            RuntimeError: it throws.
        """
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    def spent(self) -> float:
        """Seconds of scripting, styles and layout so far."""
        self.send("Performance.enable")
        metrics = {m["name"]: m["value"] for m in self.send("Performance.getMetrics")["metrics"]}
        return float(sum(metrics[f"{name}Duration"] for name in ("Script", "RecalcStyle", "Layout")))


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that ends with the block."""
    assert CHROMIUM
    (to_child, to_write), (to_read, from_child) = os.pipe(), os.pipe()
    command = [CHROMIUM, *FLAGS.split(), "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"]
    launcher = [sys.executable, "-c", LAUNCH, str(to_child), str(from_child), *command]
    process = subprocess.Popen(launcher, pass_fds=(to_child, from_child), stderr=subprocess.DEVNULL)
    os.close(to_child)
    os.close(from_child)
    try:
        yield Browser(to_write, to_read)
    finally:
        process.kill()
        process.wait()
        os.close(to_write)
        os.close(to_read)
