"""The playground, built once, behind a server of this computer alone, in a real browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click import ClickException

from tests.render.browser import CHROMIUM, Browser, browser
from website.playground.build import build, find_node, runtime


@frozen
class Playground:
    """A page in a browser."""

    browser: Browser
    address: str

    def open(self, fragment: str = "") -> None:
        self.browser.visit(self.address + fragment)

    def run(self, script: str) -> Any:
        return self.browser.run(script)

    def wait(self, condition: str, seconds: float = 120) -> None:
        """Wait until an expression is true; what the page says stands in the error where it never is."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                said = self.run("[state.textContent, findings.textContent, problems]")
                raise AssertionError(f"{condition}: {said}")
            time.sleep(0.05)

    def write(self, text: str) -> None:
        """Put a text in place of the one that is there, as a hand that types."""
        self.browser.run("document.getElementById('text').select()")
        self.browser.run("document.getElementById('text').focus()")
        self.browser.send("Input.insertText", text=text)

    def moment(self, what: str) -> float:
        """When, in milliseconds since the page began to load, something has come for the first time."""
        return float(self.run(f"document.playground.events.find(([name]) => name === '{what}')[1]"))


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        runtime()
        find_node()
    except ClickException as lacking:
        pytest.skip(lacking.message)
    folder = tmp_path_factory.mktemp("playground")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield Playground(running, address)
