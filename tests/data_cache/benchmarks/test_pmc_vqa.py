"""PMC-VQA: both versions and both spellings, figures in a folder or still in the archive."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import pmc_vqa
from tests.benchmark_files.drawn import bomb, drawn
from tests.benchmark_files.expected import Expected, assert_as_expected

FORMS: dict[str, tuple[str, Callable[[Path], Path], Expected]] = {
    "version 1": ("pmc_vqa", pmc_vqa.write, pmc_vqa.EXPECTED),
    "version 1, misspelt, archive": ("pmc_vqa", pmc_vqa.write_misspelt, pmc_vqa.EXPECTED),
    "version 2": ("pmc_vqa:test_2", pmc_vqa.write_second, pmc_vqa.SECOND_EXPECTED),
    "Parquet": ("pmc_vqa", pmc_vqa.write_parquet, pmc_vqa.PARQUET_EXPECTED),
}


def load(folder: Path, name: str = "pmc_vqa") -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=name, data=str(folder)), cache=folder.parent / "cache"
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    name, write, expected = FORMS[form]
    folder = write(tmp_path / "data")
    benchmark = load(folder, name)
    assert_as_expected(benchmark, expected, drawn)
    assert load(folder, name).key == benchmark.key


def test_both_spellings_and_places_have_the_same_content_hash(tmp_path: Path) -> None:
    assert (
        load(pmc_vqa.write(tmp_path / "a")).key == load(pmc_vqa.write_misspelt(tmp_path / "b")).key
    )


def test_the_archive_is_read_where_the_hub_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = tmp_path / "home" / "hub" / "datasets--RadGenome--PMC-VQA"
    pmc_vqa.write_misspelt(repo / "snapshots" / "abc")
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("abc", "utf-8")
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    benchmark = load_benchmark("pmc_vqa", cache=tmp_path / "cache")
    assert_as_expected(benchmark, pmc_vqa.EXPECTED, drawn)
    assert "RadGenome/PMC-VQA" in benchmark.origin


def test_a_file_of_version_2_is_read_whatever_part_was_asked_for(tmp_path: Path) -> None:
    path = pmc_vqa.write_second(tmp_path / "data") / "test_2.csv"
    assert_as_expected(load(path), pmc_vqa.SECOND_EXPECTED, drawn)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"Answer_label": "E"}, "row 2, column Answer_label: 'E' is none of its 4 options"),
        ({"Answer_label": ""}, "row 2, column Answer_label: it is empty"),
        (
            {"Answer_label": "A"},
            "row 2, column Answer_label: it is A, and column Answer has option D, 'none'",
        ),
        ({"Choice B": "B: "}, "row 2, column Choice B: it is empty"),
        ({"Choice C": " "}, "row 2, column Choice C: it is empty"),
        ({"Question": ""}, "row 2, column Question: it is empty"),
        ({"Figure_path": ""}, "row 2, column Figure_path: it is empty"),
        ({"Figure_path": "no.jpg"}, "row 2, column Figure_path: there is no file 'no.jpg' in "),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, str], line: str, tmp_path: Path
) -> None:
    folder = pmc_vqa.write(tmp_path / "data")
    records = pmc_vqa.records()
    records[1].update(change)
    pmc_vqa.write_csv(folder / "test_clean.csv", records)
    benchmark = load(folder)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{folder / 'test_clean.csv'}, {line}")
    assert {sample.id for sample in benchmark.samples} == {"1", "3"}


def test_an_answer_that_says_nothing_else_is_that_of_its_letter(tmp_path: Path) -> None:
    folder = pmc_vqa.write(tmp_path / "data")
    records = pmc_vqa.records()
    records[0]["Answer"] = "dark blue, nearly black"
    pmc_vqa.write_csv(folder / "test_clean.csv", records)
    assert_as_expected(load(folder), pmc_vqa.EXPECTED, drawn)


def test_a_missing_figure_says_where_it_was_looked_for(tmp_path: Path) -> None:
    folder = pmc_vqa.write(tmp_path / "data")
    (folder / "images" / pmc_vqa.SECOND).unlink()
    (problem,) = load(folder).bad_rows
    assert problem.reason.endswith("and no images.zip beside it")
    (folder / "images.zip").write_bytes(pmc_vqa.archive({"other.jpg": b""}))
    (problem,) = load(folder).bad_rows
    assert problem.reason.endswith(f"nor in {folder / 'images.zip'}")


def test_a_figure_of_the_archive_that_is_no_image_is_a_bad_row(tmp_path: Path) -> None:
    folder = pmc_vqa.write_misspelt(tmp_path / "data")
    first, second = pmc_vqa.FIRST, pmc_vqa.SECOND
    path = folder / "images.zip"
    path.write_bytes(pmc_vqa.archive({f"images/{first}": drawn(first), second: bomb(8000)}))
    (problem,) = load(folder).bad_rows
    assert (problem.row, problem.column) == (3, "Figure_path")
    assert f"{second} in {path} has 8000 x 8000 pixels" in problem.reason
    raw = bytearray(pmc_vqa.archive({first: drawn(first), second: drawn(second)}))
    raw[raw.rindex(second.encode(), 0, raw.rindex(b"PK\x01\x02")) + len(second) + 3] ^= 255
    path.write_bytes(raw)
    (problem,) = load(folder).bad_rows
    assert problem.row == 3
    assert "cannot be unpacked" in problem.reason


def test_half_an_archive_is_named(tmp_path: Path) -> None:
    folder = pmc_vqa.write_misspelt(tmp_path / "data")
    path = folder / "images.zip"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BenchmarkError, match=r"images.zip is no readable zip archive .* stopped"):
        load(folder)


def test_a_table_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    folder = pmc_vqa.write(tmp_path / "data")
    path = folder / "test_clean.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Choice D", "Choice E"), "utf-8")
    with pytest.raises(BenchmarkError, match=r"test_clean.csv has no column Choice D; its columns"):
        load(folder)
    path.write_text(text.replace(",", "\t"), "utf-8")
    with pytest.raises(BenchmarkError, match=r"test_clean.csv is separated by a tab"):
        load(folder)
    path.write_text(text.splitlines()[0] + "\n", "utf-8")
    with pytest.raises(BenchmarkError, match=r"test_clean.csv has no rows"):
        load(folder)
    path.write_bytes(text.replace("Red", "Röd").encode("latin-1"))
    (problem,) = load(folder).bad_rows
    assert (problem.row, problem.column) == (1, "Choice A")
    assert "UTF-8" in problem.reason
    with pytest.raises(BenchmarkError, match=r"images.zip is a zip archive; unpack it"):
        load(pmc_vqa.write_misspelt(tmp_path / "zipped") / "images.zip")
