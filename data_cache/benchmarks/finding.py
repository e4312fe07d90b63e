"""Where a benchmark's files are on this machine: a place given, $LMUData, or the hub's cache."""

import fnmatch
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.benchmarks.source import Found, HubFiles, Source
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import quoted, refuse_archive

LMUDATA_VARIABLE = "LMUData"
LMUDATA_DEFAULT = "~/LMUData"


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """Where a benchmark was looked for, and what would put it there."""

    looked_in: tuple[str, ...]
    """Places, in words."""
    advice: str
    """A sentence with a command."""


def lmudata() -> Path:
    """Return the folder in which VLMEvalKit keeps its tables."""
    return Path(os.environ.get(LMUDATA_VARIABLE) or LMUDATA_DEFAULT).expanduser()


def hub_cache() -> Path:
    """Return the folder in which huggingface_hub keeps what was downloaded."""
    if chosen := os.environ.get("HF_HUB_CACHE"):
        return Path(chosen).expanduser()
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(home).expanduser() / "hub"


def find(source: Source, name: str, variant: str, data: str | None = None) -> Found | NotFound:
    """Look for the files of a variant.

    Parameters
    ----------
    source
        What the benchmark declares.
    name
        Its name in the table, for the advice.
    variant
        One of the source's.
    data
        A file or a folder that a person gives; nothing else is looked at then.

    Raises
    ------
    BenchmarkError
        If that place does not exist or does not hold the files.
    """
    wanted = source.variants[variant]
    if data is not None:
        return given(data, wanted.files, f"{source.title} ({variant})")
    looked: list[str] = []
    if wanted.lmudata:
        folder = lmudata()
        looked.append(f"{', '.join(wanted.lmudata)} in {folder}")
        for file_name in wanted.lmudata:
            if (folder / file_name).is_file():
                return Found(files=(folder / file_name,), root=folder, origin="$LMUData")
    for files in wanted.hub:
        looked.append(f"{' or '.join(files.repos)} in {hub_cache()}")
        for repo in files.repos:
            found = in_hub_cache(repo, files)
            if found is not None:
                return found
    return NotFound(looked_in=tuple(looked), advice=_advice(source, name, variant))


def given(data: str, patterns: Sequence[str], what: str) -> Found:
    """Return the files in a place that a person gives.

    Raises
    ------
    BenchmarkError
        If there is no such place, it is an archive, or nothing in it fits.
    """
    try:
        path = Path(data).expanduser().absolute()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError) as error:  # a name that is too long, a person who is unknown
        raise BenchmarkError(f"{quoted(data)} cannot be looked for: {error}") from error
    if is_file:
        refuse_archive(path)
        return Found(files=(path,), root=path.parent, origin=str(path))
    if not is_folder:
        raise BenchmarkError(f"there is no file or folder {path}; give the place of {what}")
    for pattern in patterns:
        files = tuple(sorted(file for file in path.glob(pattern) if file.is_file()))
        if files:
            return Found(files=files, root=path, origin=str(path))
    raise BenchmarkError(
        f"{path} holds nothing that {what} is read from; {' or '.join(patterns)} is expected there"
    )


def in_hub_cache(repo: str, files: HubFiles) -> Found | None:
    """Return the files of a data set in the hub's cache, None where they are not all there.

    Of several revisions, the one that `refs/main` names is tried first, then the others, the one
    that was downloaded last first.
    """
    folder = hub_cache() / f"datasets--{repo.replace('/', '--')}"
    for snapshot in _snapshots(folder):
        # A snapshot holds links into blobs/; one whose blob is gone is no file.
        names = sorted(
            str(file.relative_to(snapshot)) for file in snapshot.rglob("*") if file.is_file()
        )
        if all(fnmatch.filter(names, pattern) for pattern in files.patterns):
            chosen = [
                name
                for name in names
                if any(fnmatch.fnmatch(name, pattern) for pattern in files.patterns)
            ]
            return Found(
                files=tuple(snapshot / name for name in chosen),
                root=snapshot,
                origin=f"hub cache, {repo}",
                revision=snapshot.name,
            )
    return None


def _snapshots(folder: Path) -> Iterable[Path]:
    main = folder / "refs" / "main"
    there = [path for path in (folder / "snapshots").glob("*") if path.is_dir()]
    there.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    try:
        named = main.read_text("utf-8").strip()
    except OSError:
        named = ""
    return sorted(there, key=lambda path: path.name != named)


def _advice(source: Source, name: str, variant: str) -> str:
    full = name if variant == source.default else f"{name}:{variant}"
    if source.variants[variant].hub:
        files = source.variants[variant].hub[0]
        size = f", {files.size}" if files.size else ""
        return (
            f"`python -m model_runners fetch {full}` downloads it from {files.repos[0]} on the "
            f"hub{size}; or give its place with --data"
        )
    way = source.way(variant) or f"see {source.homepage}"
    if source.variants[variant].lmudata:
        return f"{way}; or give its place with --data"
    return f"{way}; then give its place with --data"
