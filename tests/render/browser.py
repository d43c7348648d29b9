"""A real browser without a window, spoken to over its debugging pipe: runs JavaScript, and says how long it took."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
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
PROBLEMS = """window.problems = [];
addEventListener("error", e => problems.push(e.message));
addEventListener("unhandledrejection", e => problems.push(String(e.reason)));"""


class Browser:
    """One page of a browser. Messages are JSON that ends with a zero byte."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._last = 0
        self._rest = b""
        self._session: str | None = None
        self._target: str | None = None
        self._events: list[Mapping[str, Any]] = []

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
            self._events.append(answer)

    def _next(self) -> Mapping[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 16)
            if not part:
                raise RuntimeError("the browser has gone")
            self._rest += part
        found, _, self._rest = self._rest.partition(b"\0")
        answer: Mapping[str, Any] = json.loads(found)
        return answer

    def open(self, file: Path, hash: str = "", *, width: int = 1200, dark: bool = False) -> None:
        """Show a page of a file, as `visit`."""
        self.visit(file.as_uri() + hash, width=width, dark=dark)

    def visit(self, address: str, *, width: int = 1200, dark: bool = False) -> None:
        """Show a page in a tab of its own, and wait until it is there. Its errors go to the list `problems`."""
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        if self._target:
            self.send("Target.closeTarget", targetId=self._target)
        self._target = target
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Page.enable")
        self.look(width, dark=dark)
        self.send("Page.addScriptToEvaluateOnNewDocument", source=PROBLEMS)
        self.send("Page.navigate", url=address)
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

    def look(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Give the page so many pixels, and a reader who asks for light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def click(self, script: str) -> None:
        """Press the mouse in the middle of the element that an expression gives, as a hand does."""
        x, y = self.middle(script)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            held = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)
        self.rest()

    def middle(self, script: str) -> tuple[float, float]:
        """Where on the screen the middle of an element is."""
        box = self.run(
            f"(e => {{ const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }})({script})"
        )
        return box[0] + box[2] / 2, box[1] + box[3] / 2

    def touch(self, *frames: Sequence[tuple[float, float]]) -> None:
        """Put fingers on the screen, move them through these places, and lift them."""
        self.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        for number, fingers in enumerate(frames):
            points = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(fingers)]
            self.send("Input.dispatchTouchEvent", type="touchMove" if number else "touchStart", touchPoints=points)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.rest()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, where the focus is."""
        codes = {"Enter": 13, "Tab": 9, "Backspace": 8, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
                 "ArrowDown": 40}  # fmt: skip
        for key in keys:
            text = {"text": "\r" if key == "Enter" else key} if key == "Enter" or len(key) == 1 else {}
            for kind in ("keyDown", "keyUp"):
                more = text if kind == "keyDown" else {}
                self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes.get(key, 0), **more)
        self.rest()

    def rest(self, milliseconds: int = 400) -> None:
        """Wait until what was begun is done."""
        self.run(f"new Promise(done => setTimeout(done, {milliseconds}))")

    def tasks(self, script: str, milliseconds: int = 1500) -> list[float]:
        """Run an expression; the seconds of a processor of each task of the page from there on, most first."""
        self.send("Tracing.start", traceConfig={"includedCategories": ["toplevel"]}, transferMode="ReportEvents")
        self.run(script)
        self.rest(milliseconds)
        self._events.clear()
        self.send("Tracing.end")
        while not any(each.get("method") == "Tracing.tracingComplete" for each in self._events):
            self._events.append(self._next())
        traced = [event for each in self._events if each.get("method") == "Tracing.dataCollected"
                  for event in each["params"]["value"]]  # fmt: skip
        named = {event["tid"] for event in traced if event.get("args", {}).get("name") == "CrRendererMain"}
        return sorted(
            (event["tdur"] / 1e6 for event in traced if "tdur" in event and event["tid"] in named), reverse=True
        )

    def processor_seconds(self) -> dict[int, float]:
        """Seconds of a processor that each process of the browser has taken so far, by its number."""
        session, self._session = self._session, None
        try:
            return {each["id"]: each["cpuTime"] for each in self.send("SystemInfo.getProcessInfo")["processInfo"]}
        finally:
            self._session = session

    def taken_since(self, before: Mapping[int, float]) -> float:
        """Seconds of a processor that the processes which are there now have taken since then."""
        return sum(now - before.get(process, 0.0) for process, now in self.processor_seconds().items())

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
