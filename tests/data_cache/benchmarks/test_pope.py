"""POPE: yes or no in every form, grouped by image, its settings apart or together."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import pope
from tests.benchmark_files.drawn import bomb, drawn
from tests.benchmark_files.expected import assert_as_expected

FORMS: dict[str, Callable[[Path], Path]] = {
    "lines": pope.write,
    "the hub, a file for each setting": pope.write_full,
    "the hub, all settings in one": pope.write_default,
}


def load(folder: Path, name: str = "pope") -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=name, data=str(folder)), cache=folder.parent / "cache"
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    expected = pope.EXPECTED
    if form.endswith("in one"):
        expected = replace(expected, rows=7, left_out={"of another setting": 4})
    assert_as_expected(load(FORMS[form](tmp_path / "data")), expected, drawn)


def test_every_form_has_the_same_content_hash_each_time(tmp_path: Path) -> None:
    keys: set[str] = set()
    for form, write in FORMS.items():
        folder = write(tmp_path / form)
        keys |= {load(folder).key, load(folder).key}
    assert len(keys) == 1


@pytest.mark.parametrize("form", FORMS)
def test_all_settings_together_are_three_subsets_of_the_same_images(
    form: str, tmp_path: Path
) -> None:
    benchmark = load(FORMS[form](tmp_path / "data"), "pope:coco")
    assert {sample.id for sample in benchmark.samples} == pope.ALL_IDS
    assert Counter(sample.subset for sample in benchmark.samples) == {
        "adversarial": 3,
        "popular": 2,
        "random": 2,
    }
    assert benchmark.questions == 2
    for group in {sample.group_id for sample in benchmark.samples}:
        assert len({s.split for s in benchmark.samples if s.group_id == group}) == 1


def test_arrays_on_other_images_are_read(tmp_path: Path) -> None:
    benchmark = load(pope.write_arrays(tmp_path / "data"), "pope:gqa")
    assert {sample.id for sample in benchmark.samples} == pope.ALL_IDS
    assert benchmark.rows == 7


def test_a_question_of_several_settings_is_one_row_of_the_table(tmp_path: Path) -> None:
    folder = pope.write_table_of_vlmevalkit(tmp_path / "data")
    assert_as_expected(load(folder), pope.TABLE_EXPECTED, drawn)
    together = load(folder, "pope:coco")
    assert together.rows == len(together.samples) == 5
    assert Counter(sample.subset for sample in together.samples) == {
        "adversarial, popular, random": 1,
        "adversarial": 2,
        "popular": 1,
        "random": 1,
    }


def test_the_table_is_found_where_vlmevalkit_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMUData", str(pope.write_table_of_vlmevalkit(tmp_path / "LMUData")))
    benchmark = load_benchmark("pope:popular", cache=tmp_path / "cache")
    assert {sample.id for sample in benchmark.samples} == {"0", "3"}


def test_an_edited_image_is_not_taken_for_the_one_it_was_made_from(tmp_path: Path) -> None:
    folder = pope.write_edited(tmp_path / "data")
    assert_as_expected(load(folder, "pope:v2"), pope.EDITED_EXPECTED, drawn)
    (folder / "dataset" / "images" / "000000000009.jpg").unlink()
    (problem,) = load(folder, "pope:v2").bad_rows
    assert problem.row == 1
    assert "there is no file 'images/000000000009.jpg' in" in problem.reason


def test_a_file_of_another_setting_is_refused(tmp_path: Path) -> None:
    path = pope.write(tmp_path / "data") / "coco" / "coco_pope_random.json"
    with pytest.raises(BenchmarkError, match=r"random.json has the random objects; .*pope:random$"):
        load(path)
    assert {sample.subset for sample in load(path, "pope:random").samples} == {"random"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"label": "maybe"}, "row 2, column label: 'maybe' is neither yes nor no"),
        ({"label": ""}, "row 2, column label: it is empty"),
        ({"text": None}, "row 2, column text: it is empty"),
        ({"question_id": 1}, "row 2, column id: the id 'adversarial-1' is that of row 1, too"),
        ({"image": "../secret.jpg"}, "row 2, column image: '../secret.jpg' is no name of a file"),
        ({"image": "no.jpg"}, "row 2, column image: there is no file 'no.jpg' in "),
        ({"image": "a" * 300}, "row 2, column image: there is no file 'aaa"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    change: dict[str, object], line: str, tmp_path: Path
) -> None:
    folder = pope.write(tmp_path / "data")
    path = folder / "coco" / "coco_pope_adversarial.json"
    records = pope.lines_of("adversarial")
    records[1].update(change)
    pope.write_lines(path, records)
    benchmark = load(folder)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, {line}")
    assert {sample.id for sample in benchmark.samples} == {"adversarial-1", "adversarial-3"}


def test_a_missing_image_says_which_folders_were_looked_in(tmp_path: Path) -> None:
    folder = pope.write(tmp_path / "data")
    (folder / "val2014" / pope.SECOND).unlink()
    (problem,) = load(folder).bad_rows
    for place in (folder / "coco", folder, "val2014", "images"):
        assert str(place) in problem.reason


def test_no_image_is_an_image_and_a_bomb_says_its_size(tmp_path: Path) -> None:
    folder = pope.write(tmp_path / "data")
    (folder / "val2014" / pope.FIRST).write_bytes(b"\x89PNG")
    (folder / "val2014" / pope.SECOND).write_bytes(bomb(8000))
    with pytest.raises(BenchmarkError, match=r"row 1, column image: .*is not an image that Pillow"):
        load(folder)
    (folder / "val2014" / pope.FIRST).write_bytes(drawn(pope.FIRST))
    (problem,) = load(folder).bad_rows
    assert "has 8000 x 8000 pixels; at most 50 million" in problem.reason


def test_a_line_that_is_no_json_or_no_utf_8_is_one_bad_row(tmp_path: Path) -> None:
    folder = pope.write(tmp_path / "data")
    path = folder / "coco" / "coco_pope_adversarial.json"
    lines = path.read_bytes().splitlines()
    lines[1] = lines[1][:-4]
    lines[2] = json.dumps(pope.lines_of("adversarial")[2], ensure_ascii=False).encode("utf-8")
    lines[2] = lines[2].replace(b"fork", b"caf\xe9")
    path.write_bytes(b"\n".join(lines))
    benchmark = load(folder)
    broken, other = benchmark.bad_rows
    assert (broken.row, other.row, other.column) == (2, 3, "text")
    assert "it is no JSON" in broken.reason
    assert "UTF-8" in other.reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no rows"),
        (b"[]", "has no rows"),
        (b'{"question_id": 1, "text": "?"}\n', "has no column image, label"),
        (b"PK\x03\x04rest", "is a zip archive"),
        (b"question\tanswer\n", "JSON begins with"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = pope.write(tmp_path / "data") / "coco" / "coco_pope_adversarial.json"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError) as caught:
        load(tmp_path / "data")
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_a_table_with_another_delimiter_or_a_broken_image_is_named(tmp_path: Path) -> None:
    path = pope.write_table_of_vlmevalkit(tmp_path / "data") / "POPE.tsv"
    text = path.read_text("utf-8")
    path.write_text(text.replace("\tadversarial\n", "\tadversary\n", 1), "utf-8")
    (problem,) = load(path).bad_rows
    assert (problem.row, problem.column) == (2, "category")
    assert "'adversary' is none of adversarial, popular, random" in problem.reason
    image = base64.b64encode(drawn(pope.SECOND)).decode()
    path.write_text(text.replace(image, image[:101]), "utf-8")
    # The row itself, and the two that name it instead of an image.
    broken, *others = load(path, "pope:coco").bad_rows
    assert (broken.row, broken.column) == (3, "image")
    assert "it is no valid base64" in broken.reason
    assert [(problem.row, problem.column) for problem in others] == [(4, "image"), (5, "image")]
    path.write_text(text.replace("\t", ";"), "utf-8")
    with pytest.raises(BenchmarkError, match=r"POPE.tsv is separated by"):
        load(path)
