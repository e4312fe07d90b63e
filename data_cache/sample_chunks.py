"""How a benchmark's samples are kept beside the predictions: text, options, answers, thumbnails.

A chunk holds each thumbnail once: beside the first of its samples that shows the image. So images
are not repeated for each question about them, nor for each order of a question's options.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from data_cache.arrow import UNREADABLE, Table, pa, parquet_bytes, parquet_file
from data_cache.atomic import write_atomically
from data_cache.errors import BenchmarkError, ChunkInvalid
from data_cache.images import ImageFile, MediaFile
from data_cache.location import samples_directory
from data_cache.plan import (
    BLOCK_SIZE,
    CHUNK_NAME,
    METADATA_KEY,
    SAMPLE_VERSION,
    chunk_metadata,
    read_failure,
)
from data_cache.runs import canonical_json, hash_text
from data_cache.samples import SPLITS, Benchmark, Sample
from data_cache.thumbnails import THUMBNAIL_SIDE

_FIRST_SCHEMA = pa.schema(
    [
        ("position", pa.int32()),
        ("sample_id", pa.string()),
        ("group_id", pa.string()),
        ("subset", pa.string()),
        ("split", pa.string()),
        ("system", pa.string()),
        ("question", pa.string()),
        ("options", pa.list_(pa.string())),
        ("answer", pa.int16()),
        ("meta", pa.string()),
        ("thumbnails", pa.list_(pa.binary())),
    ]
)
"""What older chunks hold: every row has its thumbnails, and which images these are is unknown."""

SAMPLE_SCHEMA = pa.schema(
    [
        *_FIRST_SCHEMA,
        ("images", pa.list_(pa.string())),
        ("video", pa.string()),
        ("audio", pa.string()),
    ]
)
"""`images` are digests. `thumbnails` has as many values: null for an image that the chunk has
shown before, and for one that cannot be read. `video` and `audio` are paths on the machine that
wrote the chunk."""

OPTIONAL = frozenset({"system", "video", "audio"})

MAY_BE_SMALLER = "thumbnail:"
"""Begins the digest of a thumbnail where that of the image it was made of is unknown."""

THREADS = 8
"""Make thumbnails, at most; Pillow lets other threads run while it decodes."""
REMEMBERED = 2048
"""Thumbnails that are kept in memory, as the next block may show their images again."""


@dataclass(frozen=True, kw_only=True)
class SampleChunk:
    """A chunk of samples that has been read and found valid."""

    path: Path
    benchmark_key: str
    index: int
    table: Table
    """Columns of `SAMPLE_SCHEMA`."""


def write_samples(
    cache: Path, benchmark: Benchmark, positions: Iterable[int] | None = None
) -> list[Path]:
    """Write the blocks that hold the given positions of the benchmark's order, if not written yet.

    Parameters
    ----------
    cache
        The cache folder.
    benchmark
        Its order gives the positions, its key the folder.
    positions
        Which samples are needed; None means all. Whole blocks are written.

    Returns
    -------
    list[Path]
        The chunks that hold the positions, old and new.

    Raises
    ------
    BenchmarkError
        If a sample cannot be stored. One whose image cannot be read is stored without it.
    CacheError
        If the disk is full.
    """
    count = len(benchmark.samples)
    wanted = range(count) if positions is None else positions
    paths: list[Path] = []
    lacking: list[_Lacking] = []
    for index in sorted({position // BLOCK_SIZE for position in wanted}):
        start = index * BLOCK_SIZE
        samples = benchmark.samples[start : start + BLOCK_SIZE]
        name = sample_chunk_name(index, [sample.id for sample in samples])
        path = samples_directory(cache, benchmark.key) / name
        if not path.is_file():
            lacking.append(_Lacking(path=path, index=index, samples=samples))
        paths.append(path)
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        thumbnails = _Thumbnails(pool)
        if lacking:
            thumbnails.begin(lacking[0].samples)
        for chunk, following in pairwise((*lacking, None)):
            assert chunk is not None
            if following is not None:  # its images are decoded while this chunk is written
                thumbnails.begin(following.samples)
            metadata = {
                "schema_version": SAMPLE_VERSION,
                "benchmark_key": benchmark.key,
                "benchmark": benchmark.name,
                "index": chunk.index,
                "n_samples": len(chunk.samples),
            }
            table = _table_of(chunk.samples, chunk.index * BLOCK_SIZE, thumbnails)
            content = parquet_bytes(table, {METADATA_KEY: canonical_json(metadata)})
            write_atomically(chunk.path, content)
    return paths


@dataclass(frozen=True, kw_only=True)
class _Lacking:
    """A chunk that has to be written."""

    path: Path
    index: int
    samples: tuple[Sample, ...]


class _Thumbnails:
    """Thumbnails, made in threads, each once while it is remembered."""

    def __init__(self, pool: ThreadPoolExecutor):
        self._pool = pool
        self._made: dict[str, Future[bytes | None]] = {}

    def begin(self, samples: Iterable[Sample]) -> None:
        """Begin with those of some samples, and forget the oldest."""
        for image in _images_of(samples):
            self._begun(image)
        while len(self._made) > REMEMBERED:
            del self._made[next(iter(self._made))]

    def of(self, image: ImageFile) -> bytes | None:
        """Return one; None for an image that cannot be read: the other samples are worth it."""
        return self._begun(image).result()

    def _begun(self, image: ImageFile) -> "Future[bytes | None]":
        made = self._made.pop(image.digest, None) or self._pool.submit(_thumbnail_of, image)
        self._made[image.digest] = made  # the last that will be forgotten
        return made


def _thumbnail_of(image: ImageFile) -> bytes | None:
    with suppress(BenchmarkError):
        return image.thumbnail(THUMBNAIL_SIDE)
    return None


def _images_of(samples: Iterable[Sample]) -> Iterator[ImageFile]:
    for sample in samples:
        yield from sample.images


def sample_chunk_name(index: int, sample_ids: list[str]) -> str:
    """Return the file name of a chunk of samples: its block and a hash of its ids in order."""
    return f"{index:05d}-{hash_text(canonical_json(sample_ids), 12)}.parquet"


def read_sample_chunk(path: Path) -> SampleChunk:
    """Read and validate a chunk of samples.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    where = f"samples/{path.parent.name}/{path.name}"
    try:
        with parquet_file(path) as file:
            metadata = chunk_metadata(file.schema_arrow.metadata, where)
            table = file.read().replace_schema_metadata(None)
    except UNREADABLE as error:
        raise read_failure(error, where) from error
    if table.schema.equals(_FIRST_SCHEMA):
        table = _with_images(table)
    if not table.schema.equals(SAMPLE_SCHEMA):
        raise ChunkInvalid(f"{where} has other columns than a chunk of samples")
    index = metadata.get("index")
    if metadata.get("benchmark_key") != path.parent.name or not isinstance(index, int):
        raise ChunkInvalid(f"{where} belongs to another benchmark; was it moved?")
    ids = table["sample_id"].to_pylist()
    if not CHUNK_NAME.fullmatch(path.name) or sample_chunk_name(index, ids) != path.name:
        raise ChunkInvalid(f"{where} holds other samples than its name says; was it renamed?")
    _check(table, index, where)
    return SampleChunk(path=path, benchmark_key=path.parent.name, index=index, table=table)


def _check(table: Table, index: int, where: str) -> None:
    expected = np.arange(len(table)) + index * BLOCK_SIZE
    if not 0 < len(table) <= BLOCK_SIZE or not np.array_equal(
        np.asarray(table["position"]), expected
    ):
        raise ChunkInvalid(f"{where} does not hold the positions of block {index}, each once")
    if any(table[name].null_count for name in SAMPLE_SCHEMA.names if name not in OPTIONAL):
        raise ChunkInvalid(f"{where} has empty values")
    digests = table["images"].to_pylist()
    thumbnails = table["thumbnails"].to_pylist()
    if any(None in row for row in digests) or list(map(len, digests)) != list(map(len, thumbnails)):
        raise ChunkInvalid(f"{where} has thumbnails of unknown images")
    if len(set(table["sample_id"].to_pylist())) < len(table):
        raise ChunkInvalid(f"{where} has a sample twice")
    options = np.array([len(row) for row in table["options"].to_pylist()])
    answers = np.asarray(table["answer"], dtype=np.int64)
    if ((options < 2) | (answers < 0) | (answers >= options)).any():
        raise ChunkInvalid(f"{where} has an answer outside its options")
    if not set(table["split"].to_pylist()) <= set(SPLITS):
        raise ChunkInvalid(f"{where} has a split that is neither train nor test")


def _with_images(table: Table) -> Table:
    """Bring an older chunk's table into the present form."""
    seen: set[str] = set()
    images: list[list[str]] = []
    thumbnails: list[list[bytes | None]] = []
    for row in table["thumbnails"].to_pylist():
        digests = [MAY_BE_SMALLER + hashlib.sha256(small).hexdigest() for small in row]
        images.append(digests)
        thumbnails.append(_once(digests, row, seen))
    columns = {name: table[name] for name in table.column_names}
    columns["thumbnails"] = pa.array(thumbnails, SAMPLE_SCHEMA.field("thumbnails").type)
    columns["images"] = pa.array(images, SAMPLE_SCHEMA.field("images").type)
    columns |= {name: pa.nulls(len(table), pa.string()) for name in ("video", "audio")}
    return pa.table(columns, schema=SAMPLE_SCHEMA)


def _once(
    digests: list[str], thumbnails: Iterable[bytes | None], seen: set[str]
) -> list[bytes | None]:
    """Return the thumbnails of a row, without those of images that were seen before."""
    kept: list[bytes | None] = []
    for digest, small in zip(digests, thumbnails, strict=True):
        kept.append(None if digest in seen else small)
        seen.add(digest)
    return kept


def _table_of(samples: tuple[Sample, ...], start: int, thumbnails: _Thumbnails) -> Table:
    seen: set[str] = set()
    images = [[image.digest for image in sample.images] for sample in samples]
    small = [map(thumbnails.of, sample.images) for sample in samples]
    columns = {
        "position": list(range(start, start + len(samples))),
        "sample_id": [sample.id for sample in samples],
        "group_id": [sample.group_id for sample in samples],
        "subset": [sample.subset for sample in samples],
        "split": [sample.split for sample in samples],
        "system": [sample.system for sample in samples],
        "question": [sample.question for sample in samples],
        "options": [list(sample.options) for sample in samples],
        "answer": [sample.answer for sample in samples],
        "meta": [_meta_of(sample) for sample in samples],
        "thumbnails": [_once(*row, seen) for row in zip(images, small, strict=True)],
        "images": images,
        "video": [_path_of(sample.video) for sample in samples],
        "audio": [_path_of(sample.audio) for sample in samples],
    }
    try:
        return pa.table(columns, schema=SAMPLE_SCHEMA)
    except (pa.ArrowException, UnicodeError) as error:
        raise BenchmarkError(
            f"the samples from position {start} on cannot be stored: {error}"
        ) from error


def _path_of(media: MediaFile | None) -> str | None:
    """Return a path as text; of a name that is none, what is text of it."""
    if media is None or media.path is None:
        return None
    return os.fsencode(media.path).decode("utf-8", "replace")


def _meta_of(sample: Sample) -> str:
    try:
        return json.dumps(dict(sample.meta), sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise BenchmarkError(
            f"the meta of sample {sample.id!r} is not plain JSON: {error}"
        ) from error
