"""One's own table in VLMEvalKit's form."""

from pathlib import Path
from typing import Any

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import vlmeval_tsv
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected
from tests.benchmark_files.mmbench import write_table


def load(path: Path) -> Benchmark:
    return load_benchmark(BenchmarkChoice(name=str(path)), cache=path.parent.parent / "cache")


def test_a_table_with_images_inside_holds_what_was_written_down(tmp_path: Path) -> None:
    benchmark = load(vlmeval_tsv.write(tmp_path / "data"))
    assert_as_expected(benchmark, vlmeval_tsv.EXPECTED, drawn)
    assert benchmark.name == "shapes"


def test_a_table_beside_its_images_holds_the_same(tmp_path: Path) -> None:
    benchmark = load(vlmeval_tsv.write_local(tmp_path / "data"))
    assert_as_expected(benchmark, vlmeval_tsv.EXPECTED, drawn)
    assert benchmark.key == load(vlmeval_tsv.write(tmp_path / "other")).key


def test_a_parquet_file_with_the_same_columns_holds_the_same(tmp_path: Path) -> None:
    benchmark = load(vlmeval_tsv.write_parquet(tmp_path / "data"))
    assert_as_expected(benchmark, vlmeval_tsv.EXPECTED, drawn)
    assert benchmark.key == load(vlmeval_tsv.write(tmp_path / "other")).key


def test_images_are_looked_for_in_lmudata_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vlmeval_tsv.write_local(tmp_path / "LMUData")
    moved = tmp_path / "elsewhere" / path.name
    moved.parent.mkdir()
    path.rename(moved)
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    assert_as_expected(load(moved), vlmeval_tsv.EXPECTED, drawn)


def test_an_index_that_pandas_wrote_as_a_fraction_is_the_same_index(tmp_path: Path) -> None:
    vlmeval_tsv.write_local(tmp_path / "data")
    row = {**vlmeval_tsv.ROWS[0], "index": "10.0", "image_path": "triangle"}
    path = write_table(tmp_path / "data" / "shapes.tsv", [row], vlmeval_tsv.LOCAL_COLUMNS)
    assert [sample.id for sample in load(path).samples] == ["10"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"image_path": "gone.png"}, "column image_path: there is no image file 'gone.png' in "),
        ({"answer": "F"}, "column answer: 'F' is none of its 2 options"),
        ({"A": ""}, "column A: option A is empty, and option B is not"),
        ({"A": "", "B": ""}, "column A: it has no options; 2 or more are needed"),
        ({"index": " "}, "column index: it is empty"),
        ({"index": "10"}, "column id: the id '10' is that of row 1, too"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, Any], line: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    vlmeval_tsv.write_local(folder)
    rows = [{**row, "image_path": "triangle"} for row in vlmeval_tsv.ROWS]
    rows[1].update(change)
    path = write_table(folder / "shapes.tsv", rows, vlmeval_tsv.LOCAL_COLUMNS)
    benchmark = load(path)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, row 2, {line}")
    assert len(benchmark.samples) == 5


def test_a_row_with_too_few_cells_is_a_bad_row(tmp_path: Path) -> None:
    path = vlmeval_tsv.write(tmp_path / "data")
    path.write_text(path.read_text("utf-8").replace("\tshape\tpair\t", "\tshape\t"), "utf-8")
    (problem,) = load(path).bad_rows
    assert str(problem).startswith(f"{path}, row 4")
    assert "cells, and the header has 13" in problem.reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no rows"),
        (b"index,question,A,B,answer\n1,q,a,b,A\n", "is separated by a comma, and a tab is"),
        (b"index\tquestion\tA\tB\n1\tq\ta\tb\n", "has no column answer; its columns are index, "),
        (b"index\tquestion\tA\tB\tanswer\n1\tq\ta\tb\t\n", "has no answers"),
        (b"PK\x03\x04rest", "is a zip archive"),
        (
            b"index\tquestion\tA\tB\tanswer\n1\tq\xff\ta\tb\tA\n",
            "row 1, column question: it is not UTF-8",
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "own.tsv"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=sentence) as caught:
        load(path)
    assert str(path) in str(caught.value)
