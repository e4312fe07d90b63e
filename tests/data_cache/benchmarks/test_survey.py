"""What is said of the benchmarks on a machine, and what is remembered of them."""

import json
import os
import time
from pathlib import Path

import pytest

from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice
from data_cache.benchmarks.overview import Overview
from data_cache.benchmarks.survey import Listed, count, look, stamp_of, survey, variants_of
from data_cache.errors import BenchmarkError, CacheError
from tests.benchmark_files import mmbench
from tests.benchmark_files.drawn import drawn

MMBENCH = BenchmarkChoice(name="mmbench")


@pytest.fixture
def lmudata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where benchmarks are."""
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "LMUData"


def own_file(folder: Path, *, images: int = 2) -> Path:
    records = [
        {"id": f"q{i}", "question": f"Question {i}?", "options": ["yes", "no", "both"][: 2 + i % 2],
         "answer": "A", "image": f"{i % 4}.png", "category": f"part {i % 2}"}
        for i in range(8)
    ]  # fmt: skip
    for i in range(images):
        (folder / f"{i}.png").write_bytes(drawn(f"{i}"))
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records) + "\n")
    return path


def overview(listed: Listed) -> Overview:
    assert listed.overview is not None, listed.problem
    return listed.overview


def test_every_variant_of_every_benchmark_is_listed(lmudata: Path, tmp_path: Path) -> None:
    listed = survey(tmp_path / "cache")
    assert {one.name.partition(":")[0] for one in listed} == set(BENCHMARKS)
    assert len({one.name for one in listed}) == len(listed)
    for one in listed:
        assert one.licence, one.name
        assert one.group, one.name
        assert one.is_here == (one.name in {"digits_vqa", "digits_av"})
        assert one.is_here or one.advice, one.name
    assert not (tmp_path / "cache").exists(), "looking creates nothing"


def test_what_is_there_is_found_and_counted_once(lmudata: Path, tmp_path: Path) -> None:
    lmudata.mkdir()
    mmbench.write(lmudata)
    cache = tmp_path / "cache"
    before = look(MMBENCH, cache)
    assert (before.is_here, before.overview) == (True, None)
    assert before.where.startswith(str(lmudata))
    counted = overview(count(MMBENCH, cache))
    assert (counted.rows, counted.samples, counted.questions) == (9, 9, 3)
    assert counted.options == {"2": 2, "3": 3, "4": 4}
    assert sum(counted.answers.values()) == sum(counted.splits.values()) == 9
    assert overview(look(MMBENCH, cache)) == counted, "it is remembered"


def test_a_file_that_changed_is_counted_again(lmudata: Path, tmp_path: Path) -> None:
    path = own_file(tmp_path, images=4)
    choice = BenchmarkChoice(name=str(path))
    cache = tmp_path / "cache"
    stamp = stamp_of(choice)
    assert overview(count(choice, cache)).samples == 8
    path.write_text(path.read_text().partition("\n")[0] + "\n")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10))
    assert stamp_of(choice) != stamp
    assert look(choice, cache).overview is None
    assert overview(count(choice, cache)).samples == 1


def test_counts_that_lack_images_are_not_relied_on(lmudata: Path, tmp_path: Path) -> None:
    choice = BenchmarkChoice(name=str(own_file(tmp_path, images=3)))
    cache = tmp_path / "cache"
    lacking = overview(count(choice, cache))
    assert (lacking.samples, lacking.bad_row_count, lacking.lacks_files) == (6, 2, True)
    assert "3.png" in str(lacking.bad_rows[0])
    (tmp_path / "3.png").write_bytes(drawn("3"))
    assert overview(count(choice, cache)).bad_row_count == 0


def test_what_cannot_be_read_has_its_sentence(lmudata: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "?"}\n')
    listed = count(BenchmarkChoice(name=str(path)), tmp_path / "cache")
    assert listed.overview is None
    assert "mine.jsonl" in listed.problem
    nowhere = look(BenchmarkChoice(name="mmbench", data=str(tmp_path / "none")), tmp_path)
    assert "there is no file or folder" in nowhere.problem
    with pytest.raises(BenchmarkError, match="no benchmark"):
        look(BenchmarkChoice(name="mmbanch"), tmp_path)


def test_variants_are_asked_for_by_their_names() -> None:
    assert variants_of("digits_vqa") == ["digits_vqa"]
    names = variants_of("mmbench")
    assert names[0] == "mmbench"
    assert all(name.startswith("mmbench:") for name in names[1:])


def test_a_remembered_overview_of_another_version_is_no_overview() -> None:
    with pytest.raises(CacheError, match="cannot be read"):
        Overview.from_dict({"key": "k"})
