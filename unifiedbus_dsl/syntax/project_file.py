"""The project file `ubusc.toml`: what holds for all texts of a folder and of those below it.

    search = ["lib", "../shared"]     # folders in which `use` looks, from where this file is
    system = "superpod"               # the system meant where none is named
    deny   = ["warnings", "UB0601"]   # what makes the exit status of a check 1, beside errors
    [limits]
    work = 800_000_000                # as `--max-work`; also source, array, devices, errors

It is looked for in the folder of a text, then upwards; the first that is found holds alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from unifiedbus_dsl.diagnostics.suggest import did_you_mean

NAME = "ubusc.toml"
MAX_BYTES = 64 * 1024
WARNINGS = "warnings"
LIMITS = {"source": "source_bytes", "array": "array", "devices": "devices", "errors": "errors", "work": "work"}
"""Limits by what a project file calls them, with the names of `vocabulary.limits.Limits`."""
_CODE = re.compile(r"UB\d{4}")


class ProjectFileError(ValueError):
    """A project file that can't be read, or that says what none says; the sentence stands alone."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


@frozen
class ProjectFile:
    """What a project file says; without one, nothing."""

    path: Path | None = None
    search: tuple[Path, ...] = ()
    system: str | None = None
    deny: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(factory=dict)


def find_project(folder: Path) -> ProjectFile:
    """Return what the project file of a folder says: its own, or the next above it.

    Raises:
        ProjectFileError: there is one, and it is wrong.
    """
    try:
        here = folder.resolve()
        token = next((each / NAME for each in (here, *here.parents) if (each / NAME).is_file()), None)
    except OSError:  # a folder that may not be looked into has no project file
        return ProjectFile()
    return ProjectFile() if token is None else read_project(token)


def read_project(path: Path) -> ProjectFile:
    """Return what a project file says.

    Raises:
        ProjectFileError: it can't be read, or is wrong.
    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ProjectFileError(path, f"it has more than {MAX_BYTES:,} bytes")
        said = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ProjectFileError(path, f"it can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProjectFileError(path, "it is not in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ProjectFileError(path, f"it is no TOML: {error}") from error
    _known(path, said, ("search", "system", "deny", "limits"), "")
    return ProjectFile(path, _search(path, said), _system(path, said), _deny(path, said), _limits(path, said))


def _known(path: Path, said: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in said:
        if key not in keys:
            guess = did_you_mean(key, keys)
            hint = f"did you mean `{guess}`?" if guess else f"there are {', '.join(f'`{each}`' for each in keys)}"
            raise ProjectFileError(path, f"there is no setting `{where}{key}`; {hint}")


def _texts(path: Path, said: Mapping[str, Any], key: str) -> list[str]:
    texts = said.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(each, str) and each for each in texts):
        raise ProjectFileError(path, f'`{key}` is a list of texts, such as {key} = ["one", "two"]')
    return texts


def _search(path: Path, said: Mapping[str, Any]) -> tuple[Path, ...]:
    folders = tuple(path.parent / each for each in _texts(path, said, "search"))
    for folder in folders:
        if not folder.is_dir():
            raise ProjectFileError(path, f"`search` names `{folder}`, and there is no such folder")
    return folders


def _system(path: Path, said: Mapping[str, Any]) -> str | None:
    system = said.get("system")
    if system is not None and (not isinstance(system, str) or not system):
        raise ProjectFileError(path, '`system` is the name of a system, such as system = "superpod"')
    return system


def _deny(path: Path, said: Mapping[str, Any]) -> tuple[str, ...]:
    texts = _texts(path, said, "deny")
    for each in texts:
        if each != WARNINGS and not _CODE.fullmatch(each):
            raise ProjectFileError(path, f'`deny` has `{each}`: it takes "{WARNINGS}" and codes such as "UB0208"')
    return tuple(texts)


def _limits(path: Path, said: Mapping[str, Any]) -> dict[str, int]:
    limits = said.get("limits", {})
    if not isinstance(limits, dict):
        raise ProjectFileError(path, "`limits` is a table: write `[limits]` on a line of its own")
    _known(path, limits, tuple(LIMITS), "limits.")
    for key, value in limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ProjectFileError(path, f"`limits.{key}` is a whole number from 1, found {value!r}")
    return {LIMITS[key]: value for key, value in limits.items()}
