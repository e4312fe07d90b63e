"""Samples: what is refused, what changes a key, how images are read."""

import dataclasses
import io
from pathlib import Path

import PIL.Image
import pytest

from data_cache.errors import BenchmarkError
from data_cache.samples import LETTERS, Benchmark, ImageFile, Sample, letter_of


def png(side: int, colour: int = 7) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def sample(**changes: object) -> Sample:
    base = Sample(
        id="one",
        group_id="g",
        question="Which?",
        options=("x", "y"),
        answer=1,
        images=(ImageFile(data=png(8)),),
    )
    return dataclasses.replace(base, **changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"options": ("x",), "answer": 0}, "1 options"),
        ({"answer": 2}, "answer 2"),
        ({"answer": -1}, "answer -1"),
        ({"split": "dev"}, "'dev'"),
    ],
)
def test_an_impossible_sample_is_refused_with_its_id(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BenchmarkError, match=says) as caught:
        sample(**changes)
    assert "'one'" in str(caught.value)


def test_a_sample_may_have_more_options_than_letters() -> None:
    many = sample(options=tuple(map(str, range(30))))
    assert "".join(many.letters) == LETTERS
    assert [letter_of(place) for place in (0, 25, 29)] == ["A", "Z", "30"]


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "What?"},
        {"options": ("x", "z")},
        {"answer": 0},
        {"images": (ImageFile(data=png(8, 9)),)},
        {"system": "be brief"},
        {"subset": "hard"},
        {"split": "train"},
        {"group_id": "h"},
    ],
)
def test_the_benchmark_key_changes_with_everything_a_result_depends_on(
    changes: dict[str, object],
) -> None:
    before = Benchmark(name="b", samples=(sample(),)).key
    after = Benchmark(name="b", samples=(sample(**changes),)).key
    assert before != after


def test_the_benchmark_key_does_not_depend_on_where_an_image_lies(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    on_disk = Benchmark(name="b", samples=(sample(images=(ImageFile(path=path),)),))
    assert on_disk.key == Benchmark(name="b", samples=(sample(),)).key


def test_two_samples_with_one_id_are_refused() -> None:
    with pytest.raises(BenchmarkError, match="two samples with the id 'one'"):
        Benchmark(name="b", samples=(sample(), sample(question="again?")))


def test_an_unknown_subset_is_answered_with_the_known_ones() -> None:
    benchmark = Benchmark(name="b", samples=(sample(subset="easy"),))
    with pytest.raises(BenchmarkError, match="'hard'; it has easy"):
        benchmark.select(subset="hard")
    with pytest.raises(BenchmarkError, match="limit of 0"):
        benchmark.select(limit=0)
    with pytest.raises(BenchmarkError, match="split 'train'"):
        benchmark.select(split="train")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"gone\.png cannot be read"):
        ImageFile(path=tmp_path / "gone.png").read()


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    with pytest.raises(BenchmarkError, match=r"broken\.png is not an image"):
        ImageFile(path=path).thumbnail()


def test_thumbnails_are_small_and_small_images_stay_as_they_are() -> None:
    large = ImageFile(data=png(1000)).thumbnail(64)
    with PIL.Image.open(io.BytesIO(large)) as image:
        assert max(image.size) == 64
    assert ImageFile(data=png(8)).thumbnail() == png(8)


def test_an_image_has_bytes_or_a_path_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError):
        ImageFile()
    with pytest.raises(BenchmarkError):
        ImageFile(data=b"x", path=tmp_path)
