"""Samples that leave as a table come back as the samples that they were."""

import dataclasses
from pathlib import Path

import PIL.Image
import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import CacheError
from data_cache.image_store import ImageStore
from data_cache.ingest import ingest
from data_cache.samples import Benchmark, ImageFile, Sample
from data_cache.slice_export import AT_ONCE, write_benchmark
from tests.benchmark_files.drawn import drawn
from tests.data_cache.spools import profile, small_benchmark

ODD = 'A "quoted"\ttext,\r\nof\nlines\r and — more'
NAMES = ("triangle", "circle", "sun.jpg", "moon.jpg")


def digests(benchmark: Benchmark) -> dict[str, str]:
    return {sample.id: sample.digest for sample in benchmark.samples}


def load_again(path: Path) -> Benchmark:
    """As another person would, with a cache of their own."""
    choice = BenchmarkChoice(name=str(path), split_policy="own")
    return load_benchmark(choice, cache=path.parent / "theirs")


def stored(cache: Path, benchmark: Benchmark) -> Benchmark:
    profile(cache, benchmark)
    ingest(cache)
    return benchmark


def with_files(folder: Path, count: int = 4) -> Benchmark:
    """A benchmark of images that are files, of which samples show several."""
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(drawn(name))
    # Larger than its thumbnail, which for the others is the original itself.
    PIL.Image.new("RGB", (300, 8), "white").save(folder / "moon.jpg")
    with ImageStore(folder.parent) as store:
        images = [store.file(folder / name) for name in NAMES]
    samples = tuple(
        dataclasses.replace(
            one,
            images=tuple(images[place : place + 1 + place % 2]),
            question=f"{place}: {ODD}",
            options=(ODD, "nan.", "[x]", "='1'"),
            system=ODD,
        )
        for place, one in enumerate(small_benchmark(count).samples)
    )
    return Benchmark(name="with files", samples=samples)


def test_a_benchmark_comes_back_sample_by_sample_with_its_sides(tmp_path: Path) -> None:
    benchmark = stored(tmp_path, small_benchmark(AT_ONCE + 20))
    told: list[tuple[int, int]] = []
    ids = [sample.id for sample in benchmark.samples]
    done = write_benchmark(
        tmp_path,
        benchmark.key,
        ids,
        tmp_path / "out" / "all.tsv",
        progress=lambda done, of: told.append((done, of)),
    )
    assert (done.rows, done.left_out) == (120, ())
    assert told == [(100, 120), (120, 120)]
    back = load_again(done.path)
    assert digests(back) == digests(benchmark)
    assert not back.bad_rows
    # One image, 120 times.
    assert done.size == done.path.stat().st_size < 120 * 200


def test_several_images_and_odd_texts_come_back(tmp_path: Path) -> None:
    benchmark = stored(tmp_path, with_files(tmp_path / "data"))
    ids = [sample.id for sample in benchmark.samples[1:]]
    done = write_benchmark(tmp_path, benchmark.key, ids, tmp_path / "slice.tsv")
    back = load_again(done.path)
    wanted = digests(benchmark)
    assert digests(back) == {sample_id: wanted[sample_id] for sample_id in ids}
    several = next(sample for sample in back.samples if sample.id == "s0001")
    assert [image.read() for image in several.images] == [drawn("circle"), drawn("sun.jpg")]


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_an_original_that_is_gone_is_named_and_no_thumbnail_stands_in(
    change: str, tmp_path: Path
) -> None:
    benchmark = stored(tmp_path, with_files(tmp_path / "data"))
    ids = [sample.id for sample in benchmark.samples]
    moon = tmp_path / "data" / "moon.jpg"
    moon.unlink() if change == "gone" else moon.write_bytes(drawn("sun.jpg"))
    path = tmp_path / "slice.tsv"
    with pytest.raises(CacheError, match=r"original of the image of the sample 's0003' is not on"):
        write_benchmark(tmp_path, benchmark.key, ids, path)
    assert not list(tmp_path.glob("*.tsv*")) + list(tmp_path.glob(".*.tsv*")), "no half of a file"
    done = write_benchmark(tmp_path, benchmark.key, ids, path, leave_out=True)
    (gone,) = done.left_out
    assert (gone.sample_id, done.rows) == ("s0003", 3)
    assert set(digests(load_again(path))) == {"s0000", "s0001", "s0002"}


def test_what_would_come_back_as_something_else_is_refused(tmp_path: Path) -> None:
    plain = Sample(
        id="fine", group_id="g", question="Q?", options=("yes", "no"), answer=0,
        images=(ImageFile(data=drawn("circle")),),
    )  # fmt: skip
    odd: dict[str, tuple[dict, str]] = {
        "no image": ({"images": ()}, "has no image, and such a table needs one"),
        "30": ({"options": tuple(map(str, range(30)))}, "30 options, and such a table has letters"),
        "word": ({"options": ("nan", "no")}, "column A: option A is empty"),
        "pad": ({"question": " padded"}, "would come back from such a table with another question"),
        "7.0": ({}, "with another id"),
    }
    samples = [dataclasses.replace(plain, id=name, **change) for name, (change, _) in odd.items()]
    benchmark = stored(tmp_path, Benchmark(name="odd", samples=(plain, *samples)))
    path = tmp_path / "x.tsv"
    for name, (_, sentence) in odd.items():
        with pytest.raises(CacheError, match=f"the sample '{name}' .*{sentence}"):
            write_benchmark(tmp_path, benchmark.key, ["fine", name], path)
    with pytest.raises(CacheError, match="none of the samples can be written; the first: the sam"):
        write_benchmark(tmp_path, benchmark.key, list(odd), path, leave_out=True)
    assert not path.exists()
    done = write_benchmark(tmp_path, benchmark.key, ["fine", *odd], path, leave_out=True)
    assert [one.sample_id for one in done.left_out] == list(odd)
    assert set(digests(load_again(path))) == {"fine"}


def test_samples_that_are_not_there_and_other_endings_are_refused(tmp_path: Path) -> None:
    benchmark = stored(tmp_path, small_benchmark(2))
    with pytest.raises(CacheError, match=r"must end in \.tsv"):
        write_benchmark(tmp_path, benchmark.key, ["s0000"], tmp_path / "x.csv")
    with pytest.raises(CacheError, match="none of the 1 samples is in the cache"):
        write_benchmark(tmp_path, benchmark.key, ["elsewhere"], tmp_path / "x.tsv")
    with pytest.raises(CacheError, match="no text of the sample 'elsewhere'; leave such"):
        write_benchmark(tmp_path, benchmark.key, ["s0000", "elsewhere"], tmp_path / "x.tsv")
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="could not be written"):
        write_benchmark(tmp_path, benchmark.key, ["s0000"], tmp_path / "file" / "x.tsv")


def test_frames_of_a_video_come_back_as_images(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV reads videos: pip install av")
    from tests.data_cache.test_videos import write_video

    write_video(tmp_path / "grey.mp4")
    with ImageStore(tmp_path) as store:
        video, frames = store.video(tmp_path / "grey.mp4", 2)
    sample = dataclasses.replace(small_benchmark(1).samples[0], images=frames, video=video)
    benchmark = stored(tmp_path, Benchmark(name="videos", samples=(sample,)))
    done = write_benchmark(tmp_path, benchmark.key, [sample.id], tmp_path / "x.tsv")
    (back,) = load_again(done.path).samples
    assert [image.read() for image in back.images] == [frame.read() for frame in frames]
    (tmp_path / "grey.mp4").write_bytes(b"another")
    with pytest.raises(CacheError, match="original of the image 1 of 2 of the sample 's0000'"):
        write_benchmark(tmp_path, benchmark.key, [sample.id], tmp_path / "x.tsv")
