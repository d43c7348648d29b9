"""Outcomes of a survey or an exploration on disk as they come, so that one that was ended goes on where it was.

A file of lines, each a JSON value: a head that says what it is of (a hash of the machine, of what is asked and of the
budget), then an outcome a line, by the hash of what has failed or of what was set. A line that was cut off in the
middle, as a process that is killed leaves one, is dropped. Values are read into classes that are named and no others.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import attrs
import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.analysis.survey.surveys import Findings, Questions
from unifiedbus_dsl.ir.plan import serial
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.contingency import Engine, Outage, Outcome
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact, Tier
from unifiedbus_dsl.version import VERSION

T = TypeVar("T")

_CLASSES: Mapping[str, type] = {cls.__name__: cls for cls in (Answer, Findings, OutageImpact, Outcome, Tier)}
_ARRAYS = frozenset(("bool", "int16", "int32", "int64", "float64"))


class JournalError(ValueError):
    """A file that is no journal of this survey; the sentence says why and what to do."""


@define(eq=False)
class Journal:
    """The outcomes that are known of a survey, by hash of the loss, and the file that takes more; or of an
    exploration, by hash of the design."""

    path: Path
    anew: bool = False
    """Whether a journal of another survey gives way."""
    noun: str = "survey"
    """What it is of; messages and the head of the file say so."""
    classes: Mapping[str, type] = _CLASSES
    """Those that values are read into."""
    outcome: type = Outcome
    outcomes: dict[str, Any] = field(factory=dict)
    key: str = ""
    file: TextIO | None = None

    def open(self, key: str) -> None:
        """Read what there is, and be ready to take more of the survey with this key.

        Raises:
            JournalError: it is no journal, one of another survey, or someone else is writing it.
            OSError: it can't be read or written.
        """
        self.key = key
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        file = self.path.open("a+", encoding="utf-8", newline="\n")
        self.file = file
        _lock(file, self.path, self.noun)
        file.seek(0)
        text = file.read()
        whole = text[: text.rfind("\n") + 1]
        if not whole:
            if text and not f'{{"format":"{self._format}"'.startswith(text[:20]):
                raise JournalError(self._no_journal)
            file.truncate(0)
            self._write_head()
            return
        if self.anew and self._is_of_another(whole):
            file.truncate(0)
            self._write_head()
            return
        self._read(whole.split("\n")[:-1])
        if len(whole) < len(text):
            file.truncate(len(whole.encode()))

    @property
    def _format(self) -> str:
        return f"ubusc-{self.noun}"

    @property
    def _no_journal(self) -> str:
        a = "an" if self.noun[0] in "aeiou" else "a"
        return f"`{self.path}` is no journal of {a} {self.noun}: name another file by `--resume`"

    def _write_head(self) -> None:
        self._write({"format": self._format, "version": VERSION, self.noun: self.key})

    def _is_of_another(self, text: str) -> bool:
        head = f'{{"format":"{self._format}",'
        return (
            text.startswith(head) and f'"version":"{VERSION}","{self.noun}":"{self.key}"' not in text.partition("\n")[0]
        )

    def _read(self, lines: Sequence[str]) -> None:
        try:
            head = json.loads(lines[0])
        except ValueError as error:
            raise JournalError(self._no_journal) from error
        if not isinstance(head, dict) or head.get("format") != self._format:
            raise JournalError(self._no_journal)
        if head.get("version") != VERSION or head.get(self.noun) != self.key:
            raise JournalError(
                f"`{self.path}` is the journal of another {self.noun} (another machine, other measures, another "
                "budget or another release): name another file by `--resume`"
            )
        for number, line in enumerate(lines[1:], 2):
            try:
                loss, outcome = json.loads(line)
                value = _decoded(outcome, self.classes)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise JournalError(f"`{self.path}`, line {number} is damaged: delete it, or the file") from error
            if not isinstance(loss, str) or not isinstance(value, self.outcome):
                raise JournalError(f"`{self.path}`, line {number} is damaged: delete it, or the file")
            self.outcomes[loss] = value

    def add(self, loss: str, outcome: object) -> None:
        """Put an outcome on disk."""
        self.outcomes[loss] = outcome
        self._write([loss, _encoded(outcome, self.classes)])

    def _write(self, value: Any) -> None:
        assert self.file is not None
        self.file.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")
        self.file.flush()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _lock(file: TextIO, path: Path, noun: str) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise JournalError(f"another {noun} is writing `{path}`: wait for it, or name another file") from error
    except OSError:  # a disk without locks
        return


@frozen
class Recorded:
    """An engine that takes from a journal what is known, has another one solve the rest, and records what comes."""

    engine: Engine
    journal: Journal

    def run(
        self, machine: NetworkContext, measure: Callable[[NetworkContext], T], losses: Sequence[Outage]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        assert isinstance(measure, Questions)
        self.journal.open(survey_key(machine, measure))
        names = [loss_key(loss) for loss in losses]
        known: dict[str, Outcome[Any]] = self.journal.outcomes
        rest = [number for number, name in enumerate(names) if name not in known]
        done = [(number, known[name]) for number, name in enumerate(names) if name in known]
        try:
            yield from done
            run = self.engine.run(
                machine, cast("Callable[[NetworkContext], T]", measure), [losses[number] for number in rest]
            )
            with closing(run) as coming:
                for place, outcome in coming:
                    self.journal.add(names[rest[place]], outcome)
                    yield rest[place], outcome
        finally:
            self.journal.close()


def survey_key(machine: NetworkContext, questions: Questions) -> str:
    """Return the hash of all that an outcome depends on, but for what fails."""
    digest = hashlib.sha256()
    fabric = machine.fabric
    sources = [(module.source.name.rsplit("/", 1)[-1], module.source.text) for module in questions.model.modules]
    asked = [VERSION, questions.system, list(questions.asked), machine.budget_s, machine.symmetric, sources]
    digest.update(json.dumps(asked, ensure_ascii=True).encode() + serial.dump(fabric.plan))
    for column in (fabric.device_type, fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port, fabric.kind):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def loss_key(loss: Outage) -> str:
    """Return the hash of what fails."""
    digest = hashlib.sha256()
    for column in (loss.start, loss.stop, loss.cables):
        digest.update(len(column).to_bytes(8, "little") + np.asarray(column, dtype="<i8").tobytes())
    return digest.hexdigest()[:32]


# ---- values as JSON and back, exactly -----------------------------------------------------------------------------


def _encoded(value: Any, classes: Mapping[str, type]) -> Any:
    """Numbers, texts and lists as they are; all else as an object with one key that says what it is."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _encoded(value.item(), classes)
    if isinstance(value, list):
        return [_encoded(item, classes) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(item, classes) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[_encoded(key, classes), _encoded(item, classes)] for key, item in value.items()]}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if isinstance(value, np.ndarray):
        flat = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.name, list(value.shape), flat]}
    fields = {f.name: _encoded(getattr(value, f.name), classes) for f in attrs.fields(type(value)) if f.init}
    return {"class": [classes[type(value).__name__].__name__, fields]}


def _decoded(value: Any, classes: Mapping[str, type]) -> Any:
    if isinstance(value, list):
        return [_decoded(item, classes) for item in value]
    if not isinstance(value, dict):
        return value
    ((sort, inside),) = value.items()
    match sort:
        case "tuple":
            return tuple(_decoded(item, classes) for item in inside)
        case "dict":
            return {_decoded(key, classes): _decoded(item, classes) for key, item in inside}
        case "fraction":
            return Fraction(inside)
        case "array":
            name, shape, flat = inside
            if name not in _ARRAYS:
                raise ValueError(name)
            return np.frombuffer(base64.b64decode(flat, validate=True), dtype=name).reshape(shape)
        case "class":
            name, fields = inside
            return classes[name](**{key: _decoded(item, classes) for key, item in fields.items()})
    raise ValueError(sort)
