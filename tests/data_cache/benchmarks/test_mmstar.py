"""MMStar: options inside the question in two forms, or in columns; the same content either way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import mmstar
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected

FORMS: dict[str, Callable[[Path], Path]] = {
    "the authors'": mmstar.write,
    "VLMEvalKit's": mmstar.write_table_of_vlmevalkit,
    "base64 on the hub": mmstar.write_base64,
}


def load(folder: Path) -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name="mmstar", data=str(folder)), cache=folder.parent / "cache"
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    assert_as_expected(load(FORMS[form](tmp_path / "data")), mmstar.EXPECTED, drawn)


def test_every_form_has_the_same_content_hash_each_time(tmp_path: Path) -> None:
    keys: set[str] = set()
    for form, write in FORMS.items():
        folder = write(tmp_path / form)
        keys |= {load(folder).key, load(folder).key}
    assert len(keys) == 1


def test_an_image_of_two_questions_is_kept_once(tmp_path: Path) -> None:
    samples = {sample.id: sample for sample in load(mmstar.write(tmp_path / "data")).samples}
    assert samples["2"].images[0].digest == samples["3"].images[0].digest


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"question": "What is it?"}, "row 2, column question: it holds neither 'Options: A: …, B"),
        ({"question": "Q\nOptions: A: x, B: "}, "row 2, column question: its option B is empty"),
        (
            {"question": "<image 1>\nOptions: A: x, B: y"},
            "row 2, column question: it is empty but for the place of its image",
        ),
        ({"answer": "E"}, "row 2, column answer: 'E' is none of its 4 options"),
        ({"answer": None}, "row 2, column answer: it is empty"),
        ({"category": ""}, "row 2, column category: it is empty"),
        ({"image": None}, "row 2, column image: there is no image in it"),
        ({"image": {"bytes": b"GIF", "path": None}}, "row 2, column image: it is not an image"),
        ({"index": 0}, "row 2, column id: the id '0' is that of row 1, too"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, tmp_path: Path
) -> None:
    records = mmstar.hub_records()
    records[1].update(change)
    path = tmp_path / "data" / "mmstar.parquet"
    mmstar.write_parquet(path, records)
    benchmark = load(tmp_path / "data")
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
    expected = mmstar.EXPECTED
    assert {s.id: s.options for s in benchmark.samples} == {
        name: options for name, options in expected.options.items() if name != "1"
    }


def test_broken_base64_is_named(tmp_path: Path) -> None:
    path = mmstar.write_table_of_vlmevalkit(tmp_path / "data") / "MMStar.tsv"
    records = mmstar.table_records()
    image = records[0]["image"]
    text = path.read_text("utf-8")
    path.write_text(text.replace(image, image[:-3], 1), "utf-8")
    (problem,) = load(tmp_path / "data").bad_rows
    assert str(problem).startswith(f"{path}, row 1, column image: it is no valid base64")


def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    path = mmstar.write(tmp_path / "data") / "mmstar.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(BenchmarkError, match=r"mmstar.parquet is no readable Parquet file"):
        load(path)
    mmstar.write_parquet(path, [{"index": 1, "question": "?", "image": None}])
    with pytest.raises(BenchmarkError, match=r"mmstar.parquet has no column answer; its columns"):
        load(path)


def test_options_in_columns_win_over_a_question_that_looks_as_if_it_had_them(
    tmp_path: Path,
) -> None:
    records = mmstar.table_records()
    records[0]["question"] = "Which line is it?\n(A) one\n(B) two"
    folder = tmp_path / "data"
    mmstar.write_parquet(folder / "data" / "val-00000-of-00001.parquet", records)
    texts = {**mmstar.EXPECTED.texts, "0": records[0]["question"]}
    assert_as_expected(load(folder), replace(mmstar.EXPECTED, texts=texts), drawn)
