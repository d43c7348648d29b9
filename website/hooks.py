"""What MkDocs does beside its own: it takes the made pages, fills the navigation, turns the links of each page, and
builds the playground where it can be."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import click
from mkdocs.exceptions import ConfigurationError
from mkdocs.structure.files import File, Files
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pages

from website.playground import build as playground

log = logging.getLogger("mkdocs.hooks.playground")
OPEN = '<p><a class="md-button" href="playground/index.html">Open the playground</a></p>'


def on_config(config: Any) -> Any:
    """Return the configuration with the anchors that GitHub makes, and every page in the navigation."""
    try:
        get_lexer_by_name("ubus")
    except ClassNotFound:
        raise ConfigurationError("Pygments knows no `ubus`: install this tree, `pip install -e '.[docs]'`") from None
    made = pages.made_pages()
    config["mdx_configs"].setdefault("toc", {})["slugify"] = pages.slug
    written = {path.relative_to(config["docs_dir"]).as_posix() for path in Path(config["docs_dir"]).rglob("*.md")}
    config["nav"] = pages.filled(config["nav"], written | set(made))
    config["extra"]["made"] = made
    return config


def on_files(files: Files, config: Any) -> Files:
    """Return the files with the pages that are made."""
    for path, text in config["extra"]["made"].items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page; those that are made have their links turned already."""
    if page.file.src_uri == "playground.md" and _can_build():
        title, _, rest = markdown.partition("\n")
        markdown = f"{title}\n\n{OPEN}\n{rest}"
    return markdown if page.file.generated_by else pages.turned(markdown, f"docs/{page.file.src_uri}")


def on_post_build(config: Any) -> None:
    """Build the playground into the site."""
    if _can_build():
        playground.build(Path(config["site_dir"]) / "playground")


def _can_build() -> bool:
    """Return whether what the playground is made with is here; say what is not."""
    try:
        playground.runtime()
        playground.find_node()
    except click.ClickException as lacking:
        log.info("the site is built without the playground: %s", lacking.message)
        return False
    return True
