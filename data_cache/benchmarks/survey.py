"""Which benchmarks are on this machine, where, and what they hold; counts are remembered."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data_cache.atomic import write_atomically
from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice, entry_of, load_benchmark, loader_of
from data_cache.benchmarks.finding import NotFound, find
from data_cache.benchmarks.overview import Overview, overview_of
from data_cache.benchmarks.source import Found
from data_cache.errors import BenchmarkError, CacheError
from data_cache.runs import canonical_json, hash_text
from data_cache.samples import Benchmark

COUNTS_VERSION = 1
"""Raise it when the same files would be counted otherwise."""
FOLDER = "benchmarks"
"""Below the cache folder."""

Stamp = tuple[tuple[str, int, int], ...]
"""Path, size and time of change (ns) of each file that holds rows."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One benchmark, or one variant of it, as a list shows it."""

    name: str
    """What to ask for: `pope`, `pope:popular`."""
    variant: str
    """Empty where there are none."""
    title: str
    summary: str
    licence: str
    homepage: str
    group: str
    """What samples of one group share, in words."""
    expected_rows: int | None = None
    """Rows of the published files."""
    built_in: bool = False
    found: Found | None = None
    looked_in: tuple[str, ...] = ()
    """Where it was looked for, in words, where it was not found."""
    advice: str = ""
    """What would put it on this machine: a sentence with the command."""
    overview: Overview | None = None
    """What it holds, as far as it is known."""
    problem: str = ""
    """Why it cannot be read."""

    @property
    def is_here(self) -> bool:
        """Whether it can be read without a download."""
        return self.built_in or self.found is not None

    @property
    def where(self) -> str:
        """Where it was found, in words."""
        if self.built_in:
            return "made by PIDscope"
        if self.found is None:
            return ""
        first = self.found.files[0]
        more = len(self.found.files) - 1
        return f"{first}" + (f" and {more} files more" if more else "")


def survey(cache: Path) -> list[Listed]:
    """Return every benchmark of the table in its variants; only what is remembered is counted."""
    return [
        look(BenchmarkChoice(name=name), cache) for base in BENCHMARKS for name in variants_of(base)
    ]


def variants_of(base: str) -> list[str]:
    """Return the names under which the variants of a benchmark are asked for, the default first.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark.
    """
    if entry_of(base).built_in:
        return [base]
    source = loader_of(base)[0].SOURCE
    return [base if name == source.default else f"{base}:{name}" for name in source.variants]


def look(choice: BenchmarkChoice, cache: Path) -> Listed:
    """Look for one benchmark or own file; only what is remembered is counted.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark or variant.
    """
    if not choice.is_file and entry_of(choice.name).built_in:
        listed = Listed(
            name=choice.name,
            variant="",
            title=choice.name,
            summary=entry_of(choice.name).summary,
            licence="images: UCI digits (CC BY 4.0); questions: PIDscope's own",
            homepage="https://archive.ics.uci.edu/dataset/80",
            group="image",
            built_in=True,
        )
        return replace(listed, overview=_recall(choice, stamp_of(choice), cache))
    loader, variant = loader_of(choice.name)
    source = loader.SOURCE
    listed = Listed(
        name=choice.name,
        variant="" if len(source.variants) == 1 else variant,
        title=choice.title if choice.is_file else source.title,
        summary=source.summary if choice.is_file else source.variants[variant].summary,
        licence=source.licence,
        homepage=source.homepage,
        group=source.group,
        expected_rows=source.variants[variant].expected_rows,
    )
    try:
        found = find(source, choice.base, variant, choice.name if choice.is_file else choice.data)
    except BenchmarkError as error:
        return replace(listed, problem=str(error))
    if isinstance(found, NotFound):
        return replace(listed, looked_in=found.looked_in, advice=found.advice)
    overview = _recall(choice, _stamp(found.files), cache)
    return replace(listed, found=found, overview=overview)


def count(choice: BenchmarkChoice, cache: Path, *, benchmark: Benchmark | None = None) -> Listed:
    """Look for a benchmark and count what it holds; what was counted is remembered.

    Parameters
    ----------
    choice
        Which one.
    cache
        The cache folder.
    benchmark
        The benchmark of the choice, where it has been read already.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark or variant.
    """
    listed = look(choice, cache)
    if not listed.is_here or (benchmark is None and listed.overview is not None):
        return listed
    stamp = stamp_of(choice)
    try:
        benchmark = benchmark or load_benchmark(choice, cache=cache)
    except BenchmarkError as error:
        return replace(listed, problem=str(error))
    overview = overview_of(benchmark)
    _remember(choice, stamp, overview, cache)
    return replace(listed, overview=overview)


def stamp_of(choice: BenchmarkChoice) -> Stamp:
    """Return what changes when the files of a benchmark do; empty where it is not here.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark or variant.
    """
    if not choice.is_file and entry_of(choice.name).built_in:
        made_by = importlib.import_module(entry_of(choice.name).module).__file__
        return _stamp((Path(made_by),) if made_by else ())
    loader, variant = loader_of(choice.name)
    place = choice.name if choice.is_file else choice.data
    try:
        found = find(loader.SOURCE, choice.base, variant, place)
    except BenchmarkError:
        return ()
    return () if isinstance(found, NotFound) else _stamp(found.files)


def _stamp(files: tuple[Path, ...]) -> Stamp:
    stamps: list[tuple[str, int, int]] = []
    for file in files:
        try:
            state = file.stat()
        except OSError:  # reading it will say why
            continue
        stamps.append((str(file), state.st_size, state.st_mtime_ns))
    return tuple(stamps)


def _path(choice: BenchmarkChoice, cache: Path) -> Path:
    asked = [choice.name, choice.data, choice.split_policy, choice.circular, choice.frames]
    return cache / FOLDER / f"{hash_text(canonical_json({'asked': asked}), 16)}.json"


def _remember(choice: BenchmarkChoice, stamp: Stamp, overview: Overview, cache: Path) -> None:
    content = {"version": COUNTS_VERSION, "files": stamp, "overview": overview.to_dict()}
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    try:
        write_atomically(_path(choice, cache), text)
    except CacheError:
        return  # counting again is all that it costs


def _recall(choice: BenchmarkChoice, stamp: Stamp, cache: Path) -> Overview | None:
    try:
        content: Mapping[str, Any] = json.loads(_path(choice, cache).read_text("utf-8"))
        same = content["version"] == COUNTS_VERSION and content["files"] == [
            list(one) for one in stamp
        ]
        overview = Overview.from_dict(content["overview"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, CacheError):
        return None
    return None if overview is None or overview.lacks_files else overview
