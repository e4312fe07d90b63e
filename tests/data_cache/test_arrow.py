"""A bit that a disk or a copy has turned over is an error and never another number."""

import random
from pathlib import Path

import pytest

from data_cache.arrow import pq
from data_cache.chunks import read_chunk
from data_cache.errors import ChunkInvalid, SchemaTooNew
from data_cache.estimates import save
from data_cache.location import estimates_directory, run_directory, samples_directory
from data_cache.records import read_estimate
from data_cache.sample_chunks import read_sample_chunk
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum

FLIPS = 400


def content(read: object) -> list[object]:
    """What a reader gives, as plain values."""
    if isinstance(read, tuple):
        record, table = read
        return [record.to_dict(), table.to_pylist()]
    return [getattr(read, "plan", None), read.table.to_pylist()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["predictions", "samples", "estimate"])
def test_a_flipped_bit_is_noticed_or_changes_nothing(tmp_path: Path, kind: str) -> None:
    benchmark = small_benchmark(20)
    key = profile(tmp_path, benchmark, draws=2)
    save(tmp_path, spectrum(key), pointwise_rows())
    folder, read = {
        "predictions": (run_directory(tmp_path, key), read_chunk),
        "samples": (samples_directory(tmp_path, benchmark.key), read_sample_chunk),
        "estimate": (estimates_directory(tmp_path, key), read_estimate),
    }[kind]
    path = next(folder.glob("*.parquet"))
    good, expected, noticed = path.read_bytes(), content(read(path)), 0
    choose = random.Random(0)
    for _ in range(FLIPS):
        altered = bytearray(good)
        altered[choose.randrange(len(good))] ^= 1 << choose.randrange(8)
        path.write_bytes(altered)
        try:
            found = content(read(path))
        except (ChunkInvalid, SchemaTooNew):
            noticed += 1
        else:
            assert found == expected
    assert noticed > FLIPS / 4  # the rest are in statistics and paddings that nothing here reads


def test_a_file_of_before_the_checksums_is_read(tmp_path: Path) -> None:
    key = profile(tmp_path, small_benchmark(20), draws=2)
    path = next(run_directory(tmp_path, key).glob("*.parquet"))
    chunk = read_chunk(path)
    metadata = {b"pidscope": pq.read_metadata(path).metadata[b"pidscope"]}
    pq.write_table(chunk.table.replace_schema_metadata(metadata), path)
    assert read_chunk(path).table.equals(chunk.table)
