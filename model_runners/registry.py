"""What is known of each model before it is loaded: YAML files, read with care.

`models.yaml` beside this file has the models of the papers. A person's own file has the same form
and goes over it; one entry that is broken there costs that entry, not the table.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from data_cache.atomic import write_atomically
from data_cache.location import cache_directory
from model_runners.errors import BadOption
from pid_core.errors import did_you_mean

SHIPPED_FILE = Path(__file__).resolve().parent / "models.yaml"
ENVIRONMENT_VARIABLE = "PIDSCOPE_MODELS"
"""An absolute path; it goes before the file in the cache folder."""
OWN_FILE = "models.yaml"
"""Name of a person's own file in the cache folder."""

ADD_ATTEMPTS = 5
"""How often an entry is added anew where somebody else changes the file meanwhile."""

Origin = Literal["demo", "papers", "own"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FAMILY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)\s*([KMB]?)", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_HUB_ID = re.compile(
    r"(?!.*(?:--|\.\.|\.git\Z))(?=.{3,96}\Z)[a-z0-9](?:[\w.-]*\w)?/\w(?:[\w.-]*\w)?\Z",
    re.ASCII | re.IGNORECASE,
)
"""What the hub accepts as the name of a repository (`validate_repo_id` of huggingface_hub)."""


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """What is known of one model; results are stored under the name that it has in the table."""

    load_id: str | None = None
    """A hub id or an absolute folder in transformers' own format; None where there is no such."""
    reason: str | None = None
    """Why there is nothing to load, in words; exactly where `load_id` is None."""
    family: str | None = None
    """As papers write it; used to group models."""
    model_type: str | None = None
    """As in config.json; None where nobody said it, and only loading shows it."""
    paper_id: str | None = None
    """The checkpoint that the papers used, where it is another one or known to be the same."""
    parameters: float | None = None
    """Number of parameters, as the name rounds it unless it has three digits."""
    layers: int | None = None
    """Decoder layers of the language model; cross-attention layers count."""
    language_model: str | None = None
    papers: tuple[str, ...] = ()
    """The papers that name it."""
    perhaps_in: tuple[str, ...] = ()
    """The papers that may have used it and do not say so."""
    guessed: tuple[str, ...] = ()
    """Names of the fields above that are guesses."""
    summary: str = ""
    trust_remote_code: bool = False
    """Whether a person said that code that comes with it may be run."""
    worker: str | None = None
    """Absolute path of the python that runs it, where that is another environment's."""
    worker_adapter: str | None = None
    """How it takes its inputs there: `cambrian`, `vita`, `llava` or a file."""
    worker_code: str | None = None
    """The folder of the repository with its code."""
    origin: Origin = "papers"

    def __post_init__(self) -> None:
        if (self.load_id is None) == (self.reason is None):
            raise BadOption(
                "give load_id (a hub id or a folder), or reason where there is nothing to load"
            )
        if unknown := set(self.guessed) - set(FIELDS):
            raise BadOption(f"guessed names {sorted(unknown)[0]!r}, which is no field")

    @property
    def is_local(self) -> bool:
        """Whether it is loaded from a folder."""
        return self.load_id is not None and Path(self.load_id).is_absolute()

    @property
    def described(self) -> str:
        """The summary, or what the fields say, in a few words."""
        size = written_size(self.parameters)
        return self.summary or ", ".join(part for part in (self.family, size) if part) or "a model"


FIELDS = tuple(
    field.name for field in fields(ModelEntry) if field.name not in {"origin", "guessed"}
)
"""What an entry can say, and `guessed` can name."""
_LISTS = ("papers", "perhaps_in", "guessed")


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The entries of one file, and what is wrong with it."""

    entries: Mapping[str, ModelEntry]
    problems: tuple[str, ...] = ()
    """One sentence each, with file and line."""
    broken: frozenset[str] = frozenset()
    """Names whose entry was left out."""
    readable: bool = True
    """False where no entry could be told apart."""


def is_hub_id(text: str) -> bool:
    """Whether the hub would accept a text as the name of a repository."""
    return _HUB_ID.match(text) is not None


def written_size(parameters: float | None) -> str:
    """Write a number of parameters as people do; empty where it is not known.

    >>> written_size(8.29e9), written_size(72e9), written_size(390e3)
    ('8.29B', '72B', '390K')
    """
    if parameters is None:
        return ""
    unit, scale = (
        ("B", 1e9) if parameters >= 5e8 else ("M", 1e6) if parameters >= 1e6 else ("K", 1e3)
    )
    return f"{parameters / scale:.4g}{unit}"


def papers() -> Mapping[str, ModelEntry]:
    """Return the models of the papers."""
    return _papers().entries


@cache
def _papers() -> Registry:
    return read_registry(SHIPPED_FILE, origin="papers")


_cache_option: list[Path] = []
"""The cache folders that the commands at work were given, the innermost last."""


@contextmanager
def with_models_of(cache_folder: Path) -> Iterator[None]:
    """Take a person's own models from this cache folder meanwhile."""
    _cache_option.append(cache_folder)
    try:
        yield
    finally:
        _cache_option.pop()


def own_file() -> Path:
    """Return where a person's own models are: $PIDSCOPE_MODELS, else `models.yaml` in the cache."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return Path(named).expanduser()
    return cache_folder() / OWN_FILE


def cache_folder() -> Path:
    """Return the cache folder that models are looked for in."""
    return _cache_option[-1] if _cache_option else cache_directory()


def own() -> Registry:
    """Return a person's own models; none where there is no file."""
    path = own_file()
    named = bool(os.environ.get(ENVIRONMENT_VARIABLE))
    if named and not path.is_absolute():
        return _unreadable(f"${ENVIRONMENT_VARIABLE} is {str(path)!r}; give an absolute path")
    try:
        found = path.stat()
    except FileNotFoundError:
        if not named:
            return Registry(entries={})
        return _unreadable(f"${ENVIRONMENT_VARIABLE} names {path}, and there is no such file")
    except (OSError, ValueError) as error:
        return _unreadable(f"the models in {path} cannot be read: {_first_line(error)}")
    return _own(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _own(path: Path, _changed: int, _size: int) -> Registry:
    """Read once for every state of the file."""
    return read_registry(path, origin="own")


def add_own(name: str, load_id: str, **fields: str) -> Path:
    """Write a model at the end of a person's own file and return the file.

    What is in the file stays as it is, comments included; the file appears whole or not at all.

    Parameters
    ----------
    name
        Under which it is listed and its results are stored.
    load_id
        A hub id or an absolute folder.
    fields
        Others of `FIELDS`; empty ones are left out.

    Raises
    ------
    BadOption
        If the entry makes no sense, the name is taken, or the file cannot take an entry at its end.
    CacheError
        If the file cannot be written.
    """
    import yaml

    path = own_file()
    if not path.is_absolute():
        raise BadOption(f"${ENVIRONMENT_VARIABLE} is {str(path)!r}; give an absolute path")
    if name in papers():
        raise BadOption(f"the name {name!r} is that of a model of the papers; choose another")
    content = {"load_id": load_id} | {field: value for field, value in fields.items() if value}
    entry = _entry(name, content, folder=path.parent, origin="own")
    block = yaml.safe_dump({name: content}, sort_keys=False, allow_unicode=True, width=10_000)
    for _ in range(ADD_ATTEMPTS):
        before = _bytes_of(path)
        after = _with_block(before, block)
        was, now = (_parsed(text, path, origin="own") for text in (before, after))
        if name in was.entries or name in was.broken:
            raise BadOption(f"there is a model {name!r} in {path} already; choose another name")
        if now.entries != {**was.entries, name: entry} or now.problems != was.problems:
            raise BadOption(
                f"an entry cannot be written at the end of {path}"
                + "".join(f" ({problem})" for problem in was.problems)
                + "; mend the file, or write the entry yourself"
            )
        if _bytes_of(path) == before:  # nobody has added another one meanwhile
            return write_atomically(path.resolve(), after)
    raise BadOption(f"{path} is being changed by somebody else; try again")


def _with_block(before: bytes, block: str) -> bytes:
    newline = "\r\n" if b"\r\n" in before else "\n"
    gap = newline if before and not before.endswith((b"\n", b"\r")) else ""
    return before + (gap + block.replace("\n", newline)).encode("utf-8")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise BadOption(f"the models in {path} cannot be read: {_first_line(error)}") from error


def read_registry(path: Path, *, origin: Origin) -> Registry:
    """Read a file of models; what is wrong with it is a part of the answer, not an exception."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        return _unreadable(f"the models in {path} cannot be read: {_first_line(error)}")
    return _parsed(content, path, origin=origin)


def _parsed(content: bytes, path: Path, *, origin: Origin) -> Registry:
    import yaml

    try:
        # BaseLoader: every scalar stays the text that was written, and nothing is constructed.
        loader = yaml.BaseLoader(content.decode("utf-8"))
        node = loader.get_single_node()
        if node is None:
            return Registry(entries={})
        if not isinstance(node, yaml.MappingNode):
            return _unreadable(f"{path} must hold names of models, each with its fields below it")
        written = [
            (
                key.start_mark.line + 1,
                key.value if key.id == "scalar" else "?",
                _content(loader, value),
            )
            for key, value in node.value
        ]
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return _unreadable(f"{path}{line} is no YAML: {error.problem}")
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        return _unreadable(f"the models in {path} cannot be read: {_first_line(error)}")
    entries: dict[str, ModelEntry] = {}
    problems: list[str] = []
    broken: set[str] = set()
    for line, name, content in written:
        try:
            if name in entries or name in broken:
                raise BadOption("this name is there twice")
            entries[name] = _entry(name, content, folder=path.parent, origin=origin)
        except BadOption as error:
            problems.append(f"{path}, line {line}, {name[:80]!r}: {error}")
            broken.add(name)
            entries.pop(name, None)
    return Registry(entries=entries, problems=tuple(problems), broken=frozenset(broken))


def _entry(name: str, content: Any, *, folder: Path, origin: Origin) -> ModelEntry:
    if not _NAME.fullmatch(name):
        raise BadOption("a name has up to 64 letters, digits, dots, dashes and underscores")
    if isinstance(content, str) and content in FIELDS:
        raise BadOption(f"it has the field {content} twice")
    if not isinstance(content, dict):
        raise BadOption("its fields must stand below it, at least load_id")
    values: dict[str, Any] = {"origin": origin}
    for field, value in content.items():
        if field not in (*FIELDS, "guessed"):
            raise BadOption(f"there is no field {field!r}; {did_you_mean(field, FIELDS)}")
        values[field] = _value(field, value, folder)
    return ModelEntry(**values)


def _value(field: str, value: Any, folder: Path) -> Any:
    if field in _LISTS:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadOption(f"{field} must be a list such as [one, other], not {value!r}")
        return tuple(value)
    if not isinstance(value, str) or not value.strip():
        raise BadOption(f"{field} must be one text or number, not {value!r}")
    text = value.strip()
    if field == "parameters":
        return _number_of_parameters(text)
    if field == "layers":
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 10_000):
            raise BadOption(f"layers must be a whole number from 1, not {text[:40]!r}")
        return int(text)
    if field == "trust_remote_code":
        if text.lower() not in ("yes", "true", "no", "false"):
            raise BadOption(f"trust_remote_code must be yes or no, not {text[:40]!r}")
        return text.lower() in ("yes", "true")
    if field == "load_id":
        return _place(text, folder)
    if field in ("worker", "worker_code"):
        return _unresolved(field, text, folder)
    if field == "family" and not _FAMILY.fullmatch(text):
        raise BadOption("family has up to 40 letters, digits, spaces, dots, dashes and underscores")
    return text


def _number_of_parameters(text: str) -> float:
    found = _PARAMETERS.fullmatch(text)
    count = float(found[1]) * _UNITS[found[2].lower()] if found else 0.0
    if not 1 <= count <= 1e15:
        raise BadOption(f"parameters must be a number such as 7B or 390K, not {text[:40]!r}")
    return count


def _place(text: str, folder: Path) -> str:
    """Return a hub id as it is, and a folder as one that does not depend on where one stands."""
    if text.startswith(("/", "~", "./", "../")):
        try:
            return str((folder / Path(text).expanduser()).resolve())
        except (OSError, RuntimeError, ValueError) as error:
            raise BadOption(f"load_id {text[:80]!r} cannot be looked for") from error
    if not is_hub_id(text):
        raise BadOption(
            f"load_id {text[:80]!r} is neither a hub id such as owner/name nor a folder that "
            "starts with /, ~ or ./"
        )
    return text


def _unresolved(field: str, text: str, folder: Path) -> str:
    """Return a path that does not depend on where one stands; links stay, as python's mean much."""
    if not text.startswith(("/", "~", "./", "../")):
        raise BadOption(f"{field} {text[:80]!r} is no path that starts with /, ~ or ./")
    try:
        return str((folder / Path(text).expanduser()).absolute())
    except (OSError, RuntimeError, ValueError) as error:
        raise BadOption(f"{field} {text[:80]!r} cannot be looked for") from error


def _content(loader: Any, node: Any) -> Any:
    """Return an entry as written, or the name of the field that it has twice."""
    names = [str(key.value) for key, _ in node.value] if node.id == "mapping" else []
    twice = sorted({one for one in names if names.count(one) > 1})
    return twice[0] if twice else loader.construct_object(node, deep=True)


def _unreadable(problem: str) -> Registry:
    return Registry(entries={}, problems=(problem,), readable=False)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
