"""How a benchmark's samples are kept beside the predictions: text, options, answers, thumbnails."""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_cache.arrow import Table, pa, parquet_bytes, pq
from data_cache.atomic import write_atomically
from data_cache.errors import BenchmarkError, ChunkInvalid
from data_cache.location import samples_directory
from data_cache.plan import (
    BLOCK_SIZE,
    CHUNK_NAME,
    CHUNK_VERSION,
    METADATA_KEY,
    chunk_metadata,
    read_failure,
)
from data_cache.runs import canonical_json, hash_text
from data_cache.samples import SPLITS, Benchmark, Sample

SAMPLE_SCHEMA = pa.schema(
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

THUMBNAIL_SIDE = 256
"""Pixels; a page of 24 such images draws six times faster than one of full-size images."""


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
    for index in sorted({position // BLOCK_SIZE for position in wanted}):
        start = index * BLOCK_SIZE
        samples = benchmark.samples[start : start + BLOCK_SIZE]
        name = sample_chunk_name(index, [sample.id for sample in samples])
        path = samples_directory(cache, benchmark.key) / name
        if not path.is_file():
            metadata = {
                "schema_version": CHUNK_VERSION,
                "benchmark_key": benchmark.key,
                "benchmark": benchmark.name,
                "index": index,
                "n_samples": len(samples),
            }
            table = _table_of(samples, start)
            write_atomically(path, parquet_bytes(table, {METADATA_KEY: canonical_json(metadata)}))
        paths.append(path)
    return paths


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
        with pq.ParquetFile(path) as file:
            metadata = chunk_metadata(file.schema_arrow.metadata, where)
            table = file.read().replace_schema_metadata(None)
    except (OSError, pa.ArrowException) as error:
        raise read_failure(error, where) from error
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
    if any(table[name].null_count for name in SAMPLE_SCHEMA.names if name != "system"):
        raise ChunkInvalid(f"{where} has empty values")
    if len(set(table["sample_id"].to_pylist())) < len(table):
        raise ChunkInvalid(f"{where} has a sample twice")
    options = np.array([len(row) for row in table["options"].to_pylist()])
    answers = np.asarray(table["answer"], dtype=np.int64)
    if ((options < 2) | (answers < 0) | (answers >= options)).any():
        raise ChunkInvalid(f"{where} has an answer outside its options")
    if not set(table["split"].to_pylist()) <= set(SPLITS):
        raise ChunkInvalid(f"{where} has a split that is neither train nor test")


def _table_of(samples: tuple[Sample, ...], start: int) -> Table:
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
        "thumbnails": [_thumbnails_of(sample) for sample in samples],
    }
    try:
        return pa.table(columns, schema=SAMPLE_SCHEMA)
    except (pa.ArrowException, UnicodeError) as error:
        raise BenchmarkError(
            f"the samples from position {start} on cannot be stored: {error}"
        ) from error


def _thumbnails_of(sample: Sample) -> list[bytes]:
    """Return small images, and none of a file that is no image: the other samples are worth it."""
    found: list[bytes] = []
    for image in sample.images:
        with contextlib.suppress(BenchmarkError):
            found.append(image.thumbnail(THUMBNAIL_SIDE))
    return found


def _meta_of(sample: Sample) -> str:
    try:
        return json.dumps(dict(sample.meta), sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise BenchmarkError(
            f"the meta of sample {sample.id!r} is not plain JSON: {error}"
        ) from error
