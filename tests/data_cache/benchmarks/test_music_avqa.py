"""MUSIC-AVQA: templates filled, every word that can answer them offered, frames of the videos."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import music_avqa
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected

pytest.importorskip("av", reason="PyAV reads videos: pip install av")


def load(folder: Path, **options: Any) -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name="music_avqa", data=str(folder), **options),
        cache=folder.parent / "cache",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return music_avqa.write(tmp_path_factory.mktemp("music") / "data")


def test_it_holds_what_was_written_down(folder: Path) -> None:
    benchmark = load(folder)
    assert_as_expected(benchmark, music_avqa.EXPECTED, drawn)
    assert load(folder).key == benchmark.key


def test_frames_are_those_of_the_video_and_as_many_as_asked_for(folder: Path) -> None:
    for sample in load(folder, frames=2).samples:
        assert sample.video is not None
        assert sample.video.path.stem == sample.group_id
        seen = [music_avqa.channel_of(image.read()) for image in sample.images]
        assert seen == [(sample.group_id, 2), (sample.group_id, 6)]


def test_other_frames_are_other_samples_and_other_videos_are_too(folder: Path) -> None:
    benchmark = load(folder, frames=2)
    assert benchmark.key != load(folder, frames=4).key
    of_video = {sample.group_id: sample.images[0].digest for sample in benchmark.samples}
    assert len(set(of_video.values())) == 3


def test_all_questions_about_a_video_are_on_one_side(folder: Path) -> None:
    samples = load(folder).samples
    sides = {(sample.group_id, sample.split) for sample in samples}
    assert len(sides) == 3


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"anser": "perhaps"}, "row 2, column anser: 'perhaps' is none of the 12 answers to 'How"),
        ({"anser": "yes"}, "row 2, column anser: 'yes' is none of the 12 answers to 'How many s"),
        ({"anser": ""}, "row 2, column anser: it is empty"),
        (
            {"type": '["Smell", "Counting"]'},
            "row 2, column type: 'Smell' is none of Audio, Visual,",
        ),
        ({"type": "[Audio"}, "row 2, column type: it is no list in JSON: '[Audio'"),
        ({"type": "[]"}, "row 2, column type: '' is none of Audio"),
        (
            {"templ_values": "[]"},
            "row 2, column templ_values: it has 0 values for 1 places of 'How",
        ),
        ({"templ_values": '"a"'}, "row 2, column templ_values: it is no list in JSON: "),
        (
            {"question_content": "Why does the <Object> play?"},
            "row 2, column question_content: it is none of the known templates: 'Why does",
        ),
        ({"video_id": "00000099"}, "row 2, column video_id: there is no file '00000099.mp4' in "),
        ({"video_id": "../00000011"}, "row 2, column video_id: '../00000011.mp4' is no name of a"),
        ({"video_id": "broken"}, "row 2, column video_id: the video "),
        ({"question_id": 101}, "row 2, column id: the id '101' is that of row 1, too"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, folder: Path
) -> None:
    (folder / "MUSIC-AVQA-videos-Real" / "broken.mp4").write_bytes(b"no video")
    records = music_avqa.records()
    records[1].update(change)
    path = folder / "avqa-test.json"
    path.write_text(json.dumps(records), "utf-8")
    benchmark = load(path)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
    assert len(benchmark.samples) == 6


def test_values_are_put_in_as_they_are(folder: Path) -> None:
    records = music_avqa.records()
    records[6]["templ_values"] = json.dumps(["<Object>", r"\1 & {drum}"])
    path = folder / "avqa-test.json"
    path.write_text(json.dumps(records), "utf-8")
    samples = {sample.id: sample for sample in load(path).samples}
    assert samples["107"].question == r"Is the <Object> louder than the \1 & {drum}?"


def test_lists_that_are_no_texts_are_read_too(folder: Path) -> None:
    records = music_avqa.records()
    for record in records:
        record["type"] = json.loads(record["type"])
        record["answer"] = record.pop("anser")
    path = folder / "avqa-test.json"
    path.write_text(json.dumps(records), "utf-8")
    assert_as_expected(load(path), music_avqa.EXPECTED, drawn)


def test_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"git clone https://github\.com/GeWu-Lab/MUSIC-AVQA"):
        load_benchmark("music_avqa", cache=tmp_path)
    path = tmp_path / "avqa-test.json"
    path.write_text(json.dumps([{"video_id": "1"}]), "utf-8")
    with pytest.raises(BenchmarkError, match=r"avqa-test.json has no column question_id, type,"):
        load(path)
    path.write_text(json.dumps(music_avqa.records())[:-9], "utf-8")
    with pytest.raises(BenchmarkError, match=r"avqa-test.json"):
        load(path)
