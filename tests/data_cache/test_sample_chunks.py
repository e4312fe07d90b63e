import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache.errors import BenchmarkError, ChunkInvalid, SchemaTooNew
from data_cache.sample_chunks import read_sample_chunk, write_samples
from data_cache.samples import Benchmark, Sample
from tests.data_cache.spools import small_benchmark
from tests.data_cache.test_chunks import HOSTILE, from_the_future


def test_whole_blocks_are_written_for_the_positions_asked_for(tmp_path):
    benchmark = small_benchmark(150)
    assert [path.name[:5] for path in write_samples(tmp_path, benchmark, [70])] == ["00001"]
    assert len(read_sample_chunk(write_samples(tmp_path, benchmark, [70])[0]).table) == 64
    assert [path.name[:5] for path in write_samples(tmp_path, benchmark)] == [
        "00000",
        "00001",
        "00002",
    ]


def test_the_same_samples_give_the_same_bytes_and_are_not_written_twice(tmp_path):
    one = write_samples(tmp_path / "1", small_benchmark())
    two = write_samples(tmp_path / "2", small_benchmark())
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    before = [path.stat().st_ino for path in one]
    assert [
        path.stat().st_ino for path in write_samples(tmp_path / "1", small_benchmark())
    ] == before


def test_hostile_texts_survive(tmp_path):
    samples = tuple(
        Sample(
            id=text, group_id=text, question=text, options=(text, "x"), answer=0, meta={"t": text}
        )
        for text in HOSTILE
    )
    (path,) = write_samples(tmp_path, Benchmark(name="hostile", samples=samples))
    table = read_sample_chunk(path).table
    for column in ("sample_id", "group_id", "question"):
        assert table[column].to_pylist() == list(HOSTILE)


def test_a_meta_that_is_no_json_names_its_sample(tmp_path):
    sample = Sample(
        id="odd", group_id="g", question="?", options=("a", "b"), answer=0, meta={"x": {1, 2}}
    )
    with pytest.raises(BenchmarkError, match="meta of sample 'odd'"):
        write_samples(tmp_path, Benchmark(name="b", samples=(sample,)))


def test_damaged_moved_renamed_and_newer_chunks_are_told_apart(tmp_path):
    (path,) = write_samples(tmp_path, small_benchmark(10))
    content = path.read_bytes()
    moved = tmp_path / "elsewhere" / path.name
    moved.parent.mkdir()
    moved.write_bytes(content)
    with pytest.raises(ChunkInvalid, match="another benchmark"):
        read_sample_chunk(moved)
    renamed = path.with_name("00000-000000000000.parquet")
    renamed.write_bytes(content)
    with pytest.raises(ChunkInvalid, match="renamed"):
        read_sample_chunk(renamed)
    path.write_bytes(content[:100])
    with pytest.raises(ChunkInvalid, match="no readable Parquet"):
        read_sample_chunk(path)
    path.write_bytes(content)
    with pytest.raises(SchemaTooNew):
        read_sample_chunk(from_the_future(path))


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("answer", 9, "answer outside"),
        ("split", "dev", "neither train nor test"),
        ("question", None, "empty values"),
        ("position", 3, "positions of block 0"),
    ],
)
def test_a_broken_rule_is_named(tmp_path, column, value, match):
    (path,) = write_samples(tmp_path, small_benchmark(10))
    table = pq.read_table(path)
    index = table.schema.get_field_index(column)
    values = [value, *table[column].to_pylist()[1:]]
    changed = table.set_column(
        index, table.schema.field(column), pa.array(values, table.schema.types[index])
    )
    pq.write_table(changed, path)
    with pytest.raises(ChunkInvalid, match=match):
        read_sample_chunk(path)
