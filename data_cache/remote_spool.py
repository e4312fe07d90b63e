"""A spool that lies elsewhere, on object storage or any other place that fsspec reaches.

Its files are those of a spool in a cache: written once, under names made of what they hold. So a
copy goes on where it stopped, and what comes from there is believed no more than a bundle is: a
file must have a name of a spool and keep the rules of its kind before it appears here.
"""

import hashlib
import importlib
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.atomic import sync_directory, temporary_path
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import spool_directory
from data_cache.permission import require_writing
from data_cache.spool_parts import Part, check_part, part_of, spool_files

MOST_BYTES = 2 << 30
"""A larger file is no chunk of ours, and is left where it is."""
NEEDED = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
"""Packages that fsspec wants for a kind of address, which a user has to install."""


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a copy did; names are below the spool, with slashes."""

    copied: tuple[str, ...]
    same: int
    """Files that were there already."""
    refused: tuple[tuple[str, str], ...] = ()
    """Name and reason of each file that was left."""


Report = Callable[[int, int], None]
Wanted = Callable[[str], bool]


def _silent(_done: int, _total: int) -> None:
    """Report to nobody."""


def _all(_name: str) -> bool:
    return True


def is_address(text: str) -> bool:
    """Whether a text is the address of a place that fsspec reaches, not a path.

    >>> is_address("s3://bucket/spool"), is_address("/data/cache"), is_address("cache")
    (True, False, False)
    """
    return "://" in text


class RemoteSpool:
    """A spool at an address such as `s3://bucket/lab/spool` or `file:///net/lab/spool`."""

    def __init__(self, address: str):
        """Reach it.

        Raises
        ------
        CacheError
            If fsspec does not know such an address, or a package for it is missing.
        """
        self.address = address
        try:
            fsspec = importlib.import_module("fsspec")
        except ImportError as error:
            raise CacheError(
                f"{address} is reached through fsspec; run `pip install fsspec`"
            ) from error
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            kind = address.partition("://")[0]
            package = NEEDED.get(kind)
            way = f"run `pip install {package}`" if package else "see the list of fsspec's kinds"
            raise CacheError(f"{address} cannot be reached ({error}); {way}") from error

    def names(self) -> dict[str, int]:
        """Return name and size in bytes of every file that a spool can hold; {} where none is yet.

        Raises
        ------
        CacheError
            If the place cannot be listed.
        """
        root = str(self._root).rstrip("/")
        try:
            listed: dict[str, dict[str, Any]] = self._files.find(root, detail=True)
        except FileNotFoundError:
            return {}
        except _troubles() as error:
            raise CacheError(f"{self.address} cannot be listed ({error})") from error
        below = {path[len(root) + 1 :]: one for path, one in listed.items() if path != root}
        return {
            name: int(one.get("size") or 0)
            for name, one in below.items()
            if part_of(name) is not None
        }

    def fetch(self, cache: Path, *, wanted: Wanted = _all, report: Report = _silent) -> Copied:
        """Copy what the cache's spool lacks; `ingest` then makes rows of it.

        Parameters
        ----------
        cache
            The cache folder; made where it is missing.
        wanted
            Told a name, whether it is to be copied.
        report
            Where progress goes: files done, files in all.

        Raises
        ------
        CacheError
            If the place or the disk fails.
        SchemaTooNew
            If a newer PIDscope wrote a file.
        """
        require_writing("copy a spool")
        listed = {name: size for name, size in self.names().items() if wanted(name)}
        order = {part: rank for rank, part in enumerate(Part)}
        names = sorted(listed, key=lambda name: (order[_part(name)], name))
        stage = temporary_path(cache / "remote")
        spool = spool_directory(stage)
        copied: list[str] = []
        refused: list[tuple[str, str]] = []
        same = 0
        try:
            for done, name in enumerate(names):
                report(done, len(names))
                here = spool_directory(cache) / name
                if here.exists():
                    same += 1
                    continue
                if listed[name] > MOST_BYTES:
                    refused.append((name, f"has {listed[name]:,} bytes, more than any chunk"))
                    continue
                try:
                    self._take(name, spool / name)
                    check_part(spool, name)
                except SchemaTooNew:
                    raise
                except CacheError as error:
                    refused.append((name, str(error)))
                    continue
                here.parent.mkdir(parents=True, exist_ok=True)
                os.replace(spool / name, here)
                sync_directory(here.parent)
                copied.append(name)
        except OSError as error:
            raise CacheError(
                f"{cache} could not be written ({error.strerror or error}); free some space and "
                "copy again: what is here already is kept"
            ) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        report(len(names), len(names))
        return Copied(copied=tuple(copied), same=same, refused=tuple(refused))

    def send(self, cache: Path, names: Collection[str] | None = None) -> Copied:
        """Copy what the place lacks of a cache's spool.

        Parameters
        ----------
        cache
            The cache folder.
        names
            Of files below its spool; None is all of them.

        Raises
        ------
        CacheError
            If the place fails; the same call goes on.
        """
        mine = {name: path for name, path in spool_files(cache) if part_of(name) is not None}
        if names is not None:
            mine = {name: path for name, path in mine.items() if name in names}
        there = self.names()
        copied = [name for name in mine if name not in there]
        for name in copied:
            self._put(name, mine[name].read_bytes())
        return Copied(copied=tuple(copied), same=len(mine) - len(copied))

    def _take(self, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            content: bytes = self._files.cat_file(f"{self._root}/{name}")
        except _troubles() as error:
            raise CacheError(f"{name} cannot be read from {self.address} ({error})") from error
        target.write_bytes(content)

    def _put(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        # Object storage shows an object whole or not at all; a folder needs the rename.
        in_folder = "file" in self._files.protocol
        digest = hashlib.sha256(content).hexdigest()[:12]
        first = f"{path}.{os.getpid()}-{digest}.tmp" if in_folder else path
        try:
            if in_folder:
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(first, content)
            if in_folder:
                os.replace(first, path)
        except _troubles() as error:
            raise CacheError(
                f"{name} cannot be written to {self.address} ({error}); the same command goes on"
            ) from error


def _part(name: str) -> Part:
    found = part_of(name)
    assert found is not None
    return found[0]


def _troubles() -> tuple[type[Exception], ...]:
    """Return what places raise: every package behind fsspec has exceptions of its own."""
    known: list[type[Exception]] = [OSError, ValueError]
    for module, name in (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError")):
        try:
            known.append(getattr(importlib.import_module(module), name))
        except (ImportError, AttributeError):
            continue
    return tuple(known)
