"""What a file of the spool is by its name, and whether it is what such a file must be."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from data_cache.chunks import read_chunk
from data_cache.errors import ChunkInvalid
from data_cache.location import QUARANTINE, SAMPLES, spool_directory
from data_cache.patch_effects import FOLDER as PATCHES
from data_cache.patch_effects import check_patches
from data_cache.records import read_estimate
from data_cache.runs import SIDECAR_NAME, read_sidecar, run_key
from data_cache.sample_chunks import read_sample_chunk


class Part(StrEnum):
    """What a file of the spool holds, in the order in which another cache takes them over."""

    SAMPLES = "samples"
    SIDECAR = "run"
    PREDICTIONS = "predictions"
    PATCHES = "patches"
    ESTIMATE = "estimate"


_KEY, _CHUNK = r"[0-9a-f]{8,64}", r"\d{5,}-[0-9a-f]{12}\.parquet"
_NAMES = {
    Part.SAMPLES: re.compile(rf"{SAMPLES}/(?P<owner>{_KEY})/{_CHUNK}"),
    Part.SIDECAR: re.compile(rf"(?P<owner>{_KEY})/{re.escape(SIDECAR_NAME)}"),
    Part.PREDICTIONS: re.compile(rf"(?P<owner>{_KEY})/{_CHUNK}"),
    Part.PATCHES: re.compile(rf"(?P<owner>{_KEY})/{PATCHES}/{_CHUNK}"),
    Part.ESTIMATE: re.compile(rf"(?P<owner>{_KEY})/estimates/{_KEY}\.parquet"),
}
"""No name of these leads out of the spool: there is no dot but before the ending."""


def part_of(name: str) -> tuple[Part, str] | None:
    """Return what a name below the spool stands for, and its run or benchmark key; None for others.

    >>> part_of("samples/0123456789abcdef/00000-0123456789ab.parquet")
    (<Part.SAMPLES: 'samples'>, '0123456789abcdef')
    >>> part_of("../0123456789abcdef/run.json") is None
    True
    """
    for part, pattern in _NAMES.items():
        if found := pattern.fullmatch(name):
            return part, found["owner"]
    return None


def spool_files(cache: Path) -> Iterator[tuple[str, Path]]:
    """List every file of the spool but those set aside: its name with slashes, and its path."""
    spool = spool_directory(cache)
    for path in sorted(spool.rglob("*")):
        name = path.relative_to(spool).as_posix()
        if path.is_file() and not name.startswith(f"{QUARANTINE}/"):
            yield name, path


def check_part(spool: Path, name: str) -> None:
    """Read a file of a spool whole and check it.

    Parameters
    ----------
    spool
        The folder `spool` of a cache, or one of the same shape inside another folder.
    name
        Path below it.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule, or its name is none that belongs into a spool.
    CacheError
        If it cannot be read, or a newer PIDscope wrote it.
    """
    found = part_of(name)
    if found is None:
        raise ChunkInvalid(f"{name} is no file that belongs into a spool")
    path, (part, owner) = spool / name, found
    if part is Part.SAMPLES:
        read_sample_chunk(path)
    elif part is Part.PREDICTIONS:
        read_chunk(path)
    elif part is Part.PATCHES:
        check_patches(path)
    elif part is Part.ESTIMATE:
        read_estimate(path)
    else:
        sidecar = read_sidecar(spool.parent, owner)
        if run_key(sidecar.config) != owner:
            raise ChunkInvalid(f"{name} has another configuration than its key says")
