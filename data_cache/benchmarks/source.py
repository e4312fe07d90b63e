"""What a benchmark's file declares: where its files lie, what they are called, who may use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_cache.image_store import ImageStore

Circular = Literal["all", "base_only"]
"""Of a question whose options come in several orders: every order, or the first one only."""
CIRCULAR: tuple[Circular, ...] = ("all", "base_only")


@dataclass(frozen=True, kw_only=True)
class HubFiles:
    """Files of a data set on the hub."""

    repos: tuple[str, ...]
    """Data sets that hold the same files, `owner/name`; the first that is in the cache is read."""
    patterns: tuple[str, ...]
    """Which of its files hold the rows, as `fnmatch` patterns; each must match something."""
    extra: tuple[str, ...] = ()
    """Patterns of what belongs to them, such as an archive of images."""
    size: str = ""
    """About how much a download takes, for example `42 MB`."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One part of a benchmark that can be chosen: a split, a category, a language."""

    summary: str
    files: tuple[str, ...]
    """Glob patterns below a folder that a person gives; all files of the first that matches."""
    lmudata: tuple[str, ...] = ()
    """File names in $LMUData; the first that is there."""
    hub: tuple[HubFiles, ...] = ()
    """The first that is in the hub's cache."""
    expected_rows: int | None = None
    """How many rows the published files have."""
    how_to_get: str = ""
    """Where the hub has it not and its way is not the source's."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is particular about a benchmark, besides how a row of it is read."""

    title: str
    summary: str
    licence: str
    homepage: str
    group: str
    """What samples of one group share, in words."""
    variants: Mapping[str, Variant]
    """By name; the first is the default."""
    how_to_get: str = ""
    """Where the hub has it not: a sentence with the command."""
    circular: bool = False
    """Whether a question comes with its options in several orders."""

    def way(self, variant: str) -> str:
        """Return how to get a variant that the hub has not; empty where that is not known."""
        return self.variants[variant].how_to_get or self.how_to_get

    @property
    def default(self) -> str:
        """Name of the default variant."""
        return next(iter(self.variants))


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where a benchmark's files are on this machine."""

    files: tuple[Path, ...]
    """Those that hold the rows."""
    root: Path
    """The folder that paths in them are relative to."""
    origin: str
    """In words: the folder given, $LMUData, the hub's cache."""
    revision: str | None = None
    """Of the hub's repository, where they come from there."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What reading a row may need besides the row."""

    variant: str
    found: Found
    store: ImageStore
    circular: Circular = "all"
    frames: int = 4
    """Pictures that are taken of a video."""
