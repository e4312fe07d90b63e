"""MMMU: options in a text, several images, images inside options, open questions counted out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.benchmarks.mmmu import DISCIPLINES
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import mmmu
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected

HUB: dict[str, Callable[[Path], Path]] = {
    "a folder for each subject": mmmu.write,
    "all subjects in one file": mmmu.write_merged,
}


def load(folder: Path, name: str = "mmmu") -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=name, data=str(folder)), cache=folder.parent / "cache"
    )


@pytest.mark.parametrize("form", HUB)
def test_each_form_of_the_hub_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    assert_as_expected(load(HUB[form](tmp_path / "data")), mmmu.EXPECTED, drawn)


def test_the_table_of_vlmevalkit_holds_the_same_and_the_other_split(tmp_path: Path) -> None:
    folder = mmmu.write_table_of_vlmevalkit(tmp_path / "data")
    expected = replace(
        mmmu.EXPECTED,
        rows=mmmu.EXPECTED.rows + mmmu.OF_THE_DEV_SPLIT,
        left_out={"open question": 1, "of the dev split": mmmu.OF_THE_DEV_SPLIT},
    )
    benchmark = load(folder)
    assert_as_expected(benchmark, expected, drawn)
    assert benchmark.key == load(mmmu.write(tmp_path / "hub")).key
    assert {s.id for s in load(folder, "mmmu:dev").samples} == {"dev_Accounting_1", "dev_Math_2"}


def test_a_question_that_speaks_of_no_image_has_all_of_them(tmp_path: Path) -> None:
    silent = ("validation_Art_8", "Which is red?", ("a", "b"), "A", "multiple-choice", "Colour")
    fields = (*silent, ("frame.jpg", "red"))
    mmmu.write_parquet(tmp_path / "data" / "validation-0.parquet", [mmmu.hub_record(fields)])
    mmmu.write_table_of_vlmevalkit(tmp_path / "table", [fields])
    for folder in ("data", "table"):
        (sample,) = load(tmp_path / folder).samples
        assert [image.read() for image in sample.images] == [drawn("frame.jpg"), drawn("red")]


def test_a_table_that_speaks_of_an_image_it_has_not_has_a_bad_row(tmp_path: Path) -> None:
    rows = [(*mmmu.ROWS[0][:1], "See <image 2>", *mmmu.ROWS[0][2:]), mmmu.ROWS[3]]
    path = mmmu.write_table_of_vlmevalkit(tmp_path / "data", rows) / "MMMU_DEV_VAL.tsv"
    (problem,) = load(tmp_path / "data").bad_rows
    assert (
        str(problem) == f"{path}, row 1, column image: its text speaks of <image 2>, and it has 1"
    )


def test_what_the_repository_calls_a_short_answer_is_an_open_question(tmp_path: Path) -> None:
    records = [mmmu.hub_record(fields) for fields in mmmu.ROWS]
    records[1]["question_type"] = "short-answer"
    mmmu.write_parquet(tmp_path / "data" / "validation-0.parquet", records)
    assert load(tmp_path / "data").left_out == {"open question": 1}


def test_a_second_reading_has_the_same_content_hash(tmp_path: Path) -> None:
    folder = mmmu.write(tmp_path / "data")
    assert load(folder).key == load(folder).key


def test_there_are_30_subjects_in_6_disciplines() -> None:
    subjects = [subject for subjects in DISCIPLINES.values() for subject in subjects]
    assert len(DISCIPLINES) == 6
    assert len(set(subjects)) == len(subjects) == 30


def test_the_test_split_is_refused_because_its_answers_are_question_marks(tmp_path: Path) -> None:
    folder = mmmu.write_test_split(tmp_path / "data")
    with pytest.raises(BenchmarkError, match=r"has no answers .* take the validation split$"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"answer": "C"}, "row 1, column answer: 'C' is none of its 2 options"),
        ({"options": "['a', 'b"}, "row 1, column options: it is no list of options: \"['a', 'b\""),
        ({"options": "['a']"}, "row 1, column options: it has one option; 2 or more are needed"),
        ({"options": "['a', '']"}, "row 1, column options: option B is empty"),
        ({"image_1": None}, "row 1, column image_1: there is no image in it"),
        ({"question": "See <image 2>"}, "row 1, column image_2: there is no image in it"),
        ({"question": "See <image 9>"}, "row 1, column image_9: there is no image in it"),
        (
            {"image_1": {"bytes": None, "path": "ledger.png"}},
            "row 1, column image_1: it holds only the path 'ledger.png' and not the image's bytes",
        ),
        (
            {"image_1": {"bytes": b"\x89PNG broken", "path": None}},
            "row 1, column image_1: it is not an image that Pillow can read",
        ),
        ({"question_type": "essay"}, "row 1, column question_type: 'essay' is neither"),
        ({"id": "Accounting 1"}, "row 1, column id: 'Accounting 1' is not of the form"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, tmp_path: Path
) -> None:
    records = [mmmu.hub_record(fields) for fields in mmmu.ROWS]
    records[0].update(change)
    path = tmp_path / "data" / "validation-00000-of-00001.parquet"
    mmmu.write_parquet(path, records)
    benchmark = load(tmp_path / "data")
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
    assert len(benchmark.samples) == 2


def test_an_id_that_another_file_has_already_is_a_bad_row_of_the_second(tmp_path: Path) -> None:
    folder = mmmu.write(tmp_path / "data")
    copy = folder / "Accounting" / "validation-00001-of-00002.parquet"
    copy.write_bytes((folder / "Accounting" / "validation-00000-of-00001.parquet").read_bytes())
    benchmark = load(folder)
    (problem,) = benchmark.bad_rows
    assert str(problem) == (
        f"{copy}, row 1, column id: the id 'validation_Accounting_1' is that of row 1 of "
        f"{folder / 'Accounting' / 'validation-00000-of-00001.parquet'}, too"
    )
