import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache.errors import BenchmarkError, ChunkInvalid, SchemaTooNew
from data_cache.image_store import ImageStore
from data_cache.images import ImageFile, MediaFile
from data_cache.sample_chunks import read_sample_chunk, write_samples
from data_cache.samples import Benchmark, Sample
from data_cache.shipped import DEMO_DIRECTORY
from tests.data_cache.spools import PIXEL, small_benchmark
from tests.data_cache.test_chunks import HOSTILE, from_the_future


def dot(red: int) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (4, 4), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def showing(*images: tuple[ImageFile, ...], **more: object) -> Benchmark:
    """One sample per tuple of images."""
    one = small_benchmark(1).samples[0]
    samples = tuple(
        replace(one, id=f"s{number}", images=shown, **more) for number, shown in enumerate(images)
    )
    return Benchmark(name="images", samples=samples)


def rows_of(path: Path) -> list[dict]:
    return read_sample_chunk(path).table.to_pylist()


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


def test_each_thumbnail_is_kept_once_beside_the_first_sample_that_shows_it(tmp_path):
    red, dark = ImageFile(data=dot(255)), ImageFile(data=dot(9))
    benchmark = showing((red,), (dark, red), (red, red), (), (dark,))
    (path,) = write_samples(tmp_path, benchmark)
    rows = rows_of(path)
    assert [row["thumbnails"] for row in rows] == [
        [dot(255)],
        [dot(9), None],
        [None, None],
        [],
        [None],
    ]
    assert [row["images"] for row in rows] == [
        [image.digest for image in sample.images] for sample in benchmark.samples
    ]


def test_many_questions_about_one_image_take_the_room_of_one(tmp_path):
    noise = PIL.Image.frombytes("RGB", (200, 200), os.urandom(120_000))
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    image = ImageFile(data=buffer.getvalue())
    (one,) = write_samples(tmp_path, showing((image,)))
    (many,) = write_samples(tmp_path, showing(*[(image,)] * 64))
    assert many.stat().st_size < one.stat().st_size + 5_000


def test_an_image_that_cannot_be_read_keeps_its_place(tmp_path):
    missing = ImageFile(path=tmp_path / "missing.png")
    red = ImageFile(data=dot(255))
    (path,) = write_samples(tmp_path, showing((missing, red), (red, missing)))
    rows = rows_of(path)
    assert [row["thumbnails"] for row in rows] == [[None, dot(255)], [None, None]]
    assert rows[1]["images"] == [red.digest, missing.digest]


def test_blocks_asked_for_alone_hold_their_own_thumbnails(tmp_path):
    red = ImageFile(data=dot(255))
    benchmark = showing(*[(red,)] * 130)
    for position in (0, 64, 128):
        (path,) = write_samples(tmp_path, benchmark, [position])
        assert rows_of(path)[0]["thumbnails"] == [dot(255)]
    again = write_samples(tmp_path / "all", benchmark)
    assert [rows_of(path)[0]["thumbnails"] for path in again] == [[dot(255)]] * 3


def test_the_place_of_a_video_is_kept_as_text(tmp_path):
    video = MediaFile(path=Path(os.fsdecode(b"/videos/\xff.mp4")), digest="0" * 64)
    (path,) = write_samples(tmp_path, showing((), video=video))
    assert [(row["video"], row["audio"]) for row in rows_of(path)] == [("/videos/\ufffd.mp4", None)]


def test_the_thumbnails_of_a_video_are_its_frames(tmp_path):
    test_videos = pytest.importorskip("tests.data_cache.test_videos")
    path = test_videos.write_video(tmp_path / "grey.mp4")
    with ImageStore(tmp_path / "cache") as store:
        video, frames = store.video(path, 2)
    (chunk,) = write_samples(tmp_path, showing(frames, frames, video=video))
    first, second = rows_of(chunk)
    greys = [
        PIL.Image.open(io.BytesIO(small)).convert("L").getpixel((5, 5))
        for small in first["thumbnails"]
    ]
    assert greys == pytest.approx([70, 170], abs=8)
    assert second["thumbnails"] == [None, None]
    assert second["video"] == str(path)


def test_a_chunk_of_an_older_pidscope_is_read(tmp_path):
    (path,) = write_samples(tmp_path, small_benchmark(3))
    table = pq.read_table(path)
    metadata = {b"pidscope": table.schema.metadata[b"pidscope"].replace(b":3", b":1")}
    repeated = pa.array([[PIXEL], [PIXEL, dot(9)], []], pa.list_(pa.binary()))
    older = table.drop_columns(["images", "video", "audio"])
    index = older.schema.get_field_index("thumbnails")
    pq.write_table(
        older.set_column(index, "thumbnails", repeated).replace_schema_metadata(metadata), path
    )
    rows = rows_of(path)
    assert [row["thumbnails"] for row in rows] == [[PIXEL], [None, dot(9)], []]
    names = [f"thumbnail:{hashlib.sha256(one).hexdigest()}" for one in (PIXEL, dot(9))]
    assert [row["images"] for row in rows] == [names[:1], names, []]
    assert [row["question"] for row in rows] == ["Question 0?", "Question 1?", "Question 2?"]


def test_the_shipped_chunks_are_of_the_older_kind_and_are_read():
    path = next(DEMO_DIRECTORY.glob("spool/samples/*/*.parquet"))
    assert "images" not in pq.read_schema(path).names
    for row in rows_of(path):
        assert len(row["images"]) == len(row["thumbnails"]) == 1


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
        ("images", [], "thumbnails of unknown images"),
        ("images", [None], "thumbnails of unknown images"),
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
