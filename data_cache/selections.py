"""Which samples somebody chose, kept as they were when work on them began: one file per choice.

A tag can grow or vanish while a job waits or is resumed; what the job was asked for stays. A file
is named by the hash of what it holds, so it is never changed.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import selection_path
from data_cache.runs import canonical_json, hash_text

SELECTION_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Some samples of a benchmark."""

    benchmark_key: str
    """The benchmark as it was read when they were chosen."""
    sample_ids: tuple[str, ...]
    """Sorted, each once."""

    @staticmethod
    def of(benchmark_key: str, sample_ids: tuple[str, ...]) -> "Selection":
        """Return the selection of samples in any order."""
        return Selection(benchmark_key=benchmark_key, sample_ids=tuple(sorted(set(sample_ids))))

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits: the same samples, the same key."""
        return hash_text(canonical_json([self.benchmark_key, list(self.sample_ids)]), 16)


def keep(cache: Path, selection: Selection) -> Path:
    """Keep a selection; one that is there already stays.

    Raises
    ------
    CacheError
        If the disk is full or the folder cannot be written.
    """
    path = selection_path(cache, selection.key)
    if path.is_file():
        return path
    content = {
        "schema_version": SELECTION_VERSION,
        "benchmark_key": selection.benchmark_key,
        "sample_ids": list(selection.sample_ids),
    }
    return write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1).encode())


def read(cache: Path, key: str) -> Selection:
    """Return the selection of a key.

    Raises
    ------
    CacheError
        If there is none, or the file was changed.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    path = selection_path(cache, key)
    try:
        content = cast(dict[str, Any], json.loads(path.read_text("utf-8")))
        if int(content["schema_version"]) > SELECTION_VERSION:
            raise SchemaTooNew(
                f"{path} was written by a newer PIDscope (schema {content['schema_version']}, "
                f"this one reads {SELECTION_VERSION}); upgrade"
            )
        found = Selection.of(str(content["benchmark_key"]), tuple(map(str, content["sample_ids"])))
    except FileNotFoundError as error:
        raise CacheError(
            f"there is no selection {key!r} in {path.parent}; choose the samples again and start "
            "anew"
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CacheError(f"{path} is no selection of samples ({error}); start anew") from error
    if found.key != key:
        raise CacheError(f"{path} holds other samples than its name says; start anew")
    return found
