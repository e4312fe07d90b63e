"""Reefknot: options out of the prompt, images out of two folders, one kind of relation or both."""

from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import reefknot
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected


def load(folder: Path, name: str = "reefknot") -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=name, data=str(folder)), cache=folder.parent / "cache"
    )


def test_perception_holds_what_was_written_down(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    assert_as_expected(load(folder), reefknot.EXPECTED, drawn)
    assert load(folder).key == load(folder).key


def test_the_other_kind_and_both_are_variants(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    (cognitive,) = load(folder, "reefknot:cognitive").samples
    assert (cognitive.id, cognitive.options[cognitive.answer]) == ("3", "eating")
    both = load(folder, "reefknot:all")
    assert {sample.id: sample.subset for sample in both.samples} == {
        "1": "perception",
        "2": "perception",
        "3": "cognitive",
        "4": "perception",
    }


def test_yes_no_questions_are_asked_without_their_request(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    assert_as_expected(load(folder, "reefknot:yesno"), reefknot.YES_NO_EXPECTED, drawn)


def test_a_file_of_the_other_kind_of_answer_says_what_to_ask_for(tmp_path: Path) -> None:
    dataset = reefknot.write(tmp_path / "data") / "Dataset"
    with pytest.raises(
        BenchmarkError, match="row 1, column type: it is 'Yes/No'; ask for reefknot:yesno"
    ):
        load(dataset / "YESNO.jsonl")
    with pytest.raises(BenchmarkError, match="it is 'Multichoice'; ask for reefknot:all"):
        load(dataset / "Multichoice.jsonl", "reefknot:yesno")
    records = reefknot.records_of(reefknot.YES_NO, "Yes/No")
    records[0]["label"] = "A"
    reefknot.write_lines(dataset / "YESNO.jsonl", records)
    (problem,) = load(dataset / "YESNO.jsonl", "reefknot:yesno").bad_rows
    assert (problem.row, problem.column) == (1, "label")
    assert problem.reason == "'A' is neither yes nor no"


def test_images_may_be_in_one_folder(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    key = load(folder).key
    (folder / "images").mkdir()
    for path in (folder / "VG_100K" / "7000001.jpg", folder / "VG_100K_2" / "2390002.jpg"):
        path.rename(folder / "images" / path.name)
    assert load(folder).key == key


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"label": "E"}, "row 2, column label: 'E' is none of its 4 options"),
        ({"query_prompt": "Is it?"}, "row 2, column query_prompt: it is not of the form '…? A. …"),
        (
            {"query_prompt": "Is it? A. a B. b, please choose."},
            "row 2, column query_prompt: it has 2 options, and is not of the form",
        ),
        (
            {"relation_type": "both"},
            "row 2, column relation_type: 'both' is neither perception nor",
        ),
        ({"image_id": "99"}, "row 2, column image_id: there is no file '99.jpg' in "),
        ({"image_id": ""}, "row 2, column image_id: it is empty"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, tmp_path: Path
) -> None:
    folder = reefknot.write(tmp_path / "data")
    path = folder / "Dataset" / "Multichoice.jsonl"
    records = reefknot.records_of(reefknot.ROWS, "Multichoice")
    records[1].update(change)
    reefknot.write_lines(path, records)
    benchmark = load(folder)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
    assert {sample.id for sample in benchmark.samples} == {"1", "4"}


def test_a_broken_image_is_named_by_every_row_that_shows_it(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    (folder / "VG_100K" / "7000001.jpg").write_bytes(b"\xff\xd8 cut off")
    problems = load(folder).bad_rows
    assert [(problem.row, problem.column) for problem in problems] == [
        (1, "image_id"),
        (2, "image_id"),
    ]
    assert all("7000001.jpg is not an image that Pillow" in problem.reason for problem in problems)


def test_open_questions_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = reefknot.write(tmp_path / "data")
    records = reefknot.records_of(reefknot.ROWS, "Multichoice")
    records[0]["type"] = "VQA"
    reefknot.write_lines(folder / "Dataset" / "Multichoice.jsonl", records)
    assert load(folder).left_out["open question"] == 1


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        BenchmarkError, match=r"git clone https://github\.com/JackChen-seu/Reefknot"
    ):
        load_benchmark("reefknot", cache=tmp_path)
    with pytest.raises(BenchmarkError, match="holds nothing that Reefknot"):
        load(tmp_path)
