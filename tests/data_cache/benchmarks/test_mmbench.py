"""MMBench is read from the official tables and the hub's, with rotations and references."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import mmbench
from tests.benchmark_files.drawn import drawn
from tests.benchmark_files.expected import assert_as_expected

WRITERS: dict[str, Callable[[Path], Path]] = {
    "official table": mmbench.write,
    "lmms-lab": mmbench.write_lmms_lab,
    "HuggingFaceM4": mmbench.write_huggingface_m4,
}


def load(folder: Path, name: str = "mmbench", **choice: str) -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=name, data=str(folder), **choice),  # pyright: ignore[reportArgumentType] -- words from tests
        cache=folder.parent / "cache",
    )


@pytest.mark.parametrize("form", WRITERS)
def test_each_form_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    benchmark = load(WRITERS[form](tmp_path / "data"))
    assert_as_expected(benchmark, mmbench.EXPECTED, drawn)
    assert benchmark.circular


def test_all_forms_have_one_content_hash_and_a_second_reading_has_it_too(tmp_path: Path) -> None:
    keys = {load(write(tmp_path / form)).key for form, write in WRITERS.items() for _ in range(2)}
    assert len(keys) == 1


def test_base_questions_alone_leave_the_rotated_copies_out(tmp_path: Path) -> None:
    folder = mmbench.write(tmp_path / "data")
    benchmark = load(folder, circular="base_only")
    assert_as_expected(benchmark, mmbench.EXPECTED_BASE, drawn)
    assert not benchmark.circular
    assert benchmark.key != load(folder).key


def test_rotations_of_one_question_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    benchmark = load(mmbench.write(tmp_path / "data"))
    for question in ("241", "12", "77"):
        assert len({s.split for s in benchmark.samples if s.group_id == question}) == 1


def test_an_image_is_stored_once_for_all_rotations_and_questions_that_show_it(
    tmp_path: Path,
) -> None:
    for form, write in WRITERS.items():
        load(write(tmp_path / form))
    with sqlite3.connect(tmp_path / "cache" / "images.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM images").fetchone() == (mmbench.IMAGES,)
    connection.close()


def test_an_index_that_pandas_wrote_as_a_fraction_is_the_same_index(tmp_path: Path) -> None:
    records = [mmbench.record(fields) for fields in mmbench.ROWS]
    for record in records:
        record["index"] = f"{record['index']}.0"
    mmbench.write_table(tmp_path / "data" / "MMBench_DEV_EN.tsv", records, mmbench.COLUMNS)
    assert_as_expected(load(tmp_path / "data"), mmbench.EXPECTED, drawn)


def test_ccbench_has_categories_for_subsets(tmp_path: Path) -> None:
    benchmark = load(mmbench.write_cc(tmp_path / "data"), "mmbench:cc")
    assert_as_expected(benchmark, mmbench.EXPECTED_CC, drawn)


def test_the_test_split_is_refused_because_it_has_no_answers(tmp_path: Path) -> None:
    folder = mmbench.write_test_split(tmp_path / "data")
    with pytest.raises(BenchmarkError, match=r"MMBench_TEST_EN\.tsv has no answers .* dev split$"):
        load(folder)


def test_it_is_found_in_lmudata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMUData", str(mmbench.write(tmp_path / "LMUData")))
    benchmark = load_benchmark("mmbench", cache=tmp_path / "cache")
    assert benchmark.origin == "$LMUData"
    assert len(benchmark.samples) == 9


@pytest.mark.parametrize("owner", ["lmms-lab", "lmms-lab-encoder"])
def test_it_is_found_in_the_cache_of_the_hub_under_either_organisation(
    owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMUData", str(tmp_path / "none"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    snapshot = tmp_path / "hf" / "hub" / f"datasets--{owner}--MMBench" / "snapshots" / "56ba1af"
    mmbench.write_lmms_lab(snapshot)
    benchmark = load_benchmark("mmbench", cache=tmp_path / "cache")
    assert benchmark.origin == f"hub cache, {owner}/MMBench"
    assert len(benchmark.samples) == 9


def test_each_table_that_the_hub_has_not_has_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMUData", str(tmp_path))
    for variant, table in (("en_dev_v11", "DEV_EN_V11"), ("cn_dev_v11", "DEV_CN_V11")):
        with pytest.raises(BenchmarkError) as caught:
            load_benchmark(f"mmbench:{variant}", cache=tmp_path / "cache")
        assert f"MMBench_{table}.tsv in {tmp_path}" in str(caught.value)
        assert f"/MMBench/MMBench_{table}.tsv` downloads it; or give its" in str(caught.value)


def test_a_zip_where_a_table_is_wanted_is_refused(tmp_path: Path) -> None:
    mmbench.write(tmp_path / "data")
    archive = shutil.make_archive(str(tmp_path / "MMBench"), "zip", tmp_path / "data")
    with pytest.raises(BenchmarkError, match=r"MMBench\.zip is a zip archive; unpack it"):
        load(Path(archive))


def test_a_download_that_was_stopped_is_refused(tmp_path: Path) -> None:
    path = mmbench.write_lmms_lab(tmp_path / "data") / "en" / "dev-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(BenchmarkError, match=r"dev-00000-of-00001\.parquet is no readable Parquet"):
        load(tmp_path / "data")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"index": "two"}, "row 2, column index: 'two' is no number"),
        ({"index": ""}, "row 2, column index: it is empty"),
        ({"question": " "}, "row 2, column question: it is empty"),
        ({"answer": "E"}, "row 2, column answer: 'E' is none of its 4 options"),
        ({"answer": ""}, "row 2, column answer: it is empty"),
        ({"B": ""}, "row 2, column B: option B is empty, and option C is not"),
        ({"B": "", "C": "", "D": ""}, "row 2, column B: it has one option; 2 or more are needed"),
        ({"image": "99"}, "row 2, column image: it is neither base64 nor the index of a row"),
        ({"image": "x" * 99}, "row 2, column image: it is no valid base64"),
        ({"index": 241}, "row 2, column id: the id '241' is that of row 1, too"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, tmp_path: Path
) -> None:
    records = [mmbench.record(fields) for fields in mmbench.ROWS]
    records[1].update(change)
    path = mmbench.write_table(tmp_path / "MMBench_DEV_EN.tsv", records, mmbench.COLUMNS)
    benchmark = load(path)
    assert benchmark.rows == 9
    assert len(benchmark.samples) == 8
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
