"""What hands do on the page to explore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.render.browser import Browser

SPECS = Path(__file__).parents[2] / "specs"


class Page:
    """An open page: what is there, and what can be done."""

    def __init__(self, page: Browser, file: Path, width: int, hash: str = "", *, dark: bool = False) -> None:
        self.browser = page
        page.open(file, hash, width=width, dark=dark)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.browser, name)

    @property
    def place(self) -> str:
        return str(self.run("pathText(state.path)"))

    @property
    def hash(self) -> str:
        return str(self.run("decodeURIComponent(location.hash)"))

    def text(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def type(self, text: str) -> None:
        self._set("search", text, "input")

    def choose(self, menu: str, value: str) -> None:
        self._set(menu, value, "change")
        self.rest(900)

    def _set(self, id: str, value: str, event: str) -> None:
        put = f"e.value = {json.dumps(value)}; e.dispatchEvent(new Event('{event}'));"
        self.run(f"(e => {{ {put} }})(document.getElementById('{id}'))")


def box(name: str) -> str:
    """The box of a part in the picture, as an expression."""
    return f"marks.byName.get({json.dumps(name)}).group"
