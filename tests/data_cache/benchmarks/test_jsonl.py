"""One's own JSONL, JSON array or CSV beside a folder of images."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark
from tests.benchmark_files import own_records
from tests.benchmark_files.drawn import bomb, drawn
from tests.benchmark_files.expected import assert_as_expected

WRITERS: dict[str, Callable[[Path], Path]] = {
    "JSON lines": own_records.write,
    "JSON array": own_records.write_array,
}


def load(path: Path, **choice: Any) -> Benchmark:
    return load_benchmark(
        BenchmarkChoice(name=str(path), **choice), cache=path.parent.parent / "cache"
    )


@pytest.mark.parametrize("form", WRITERS)
def test_each_form_holds_what_was_written_down(form: str, tmp_path: Path) -> None:
    benchmark = load(WRITERS[form](tmp_path / "data"))
    assert_as_expected(benchmark, own_records.EXPECTED, drawn)
    assert benchmark.name == "own"


def test_a_csv_holds_what_was_written_down(tmp_path: Path) -> None:
    benchmark = load(own_records.write_csv(tmp_path / "data"))
    assert_as_expected(benchmark, own_records.EXPECTED_CSV, drawn)


def test_both_forms_and_a_second_reading_have_one_content_hash(tmp_path: Path) -> None:
    paths = [write(tmp_path / form) for form, write in WRITERS.items()]
    assert len({load(path).key for path in (*paths, *paths)}) == 1


def test_the_split_may_be_that_of_the_file(tmp_path: Path) -> None:
    path = own_records.write(tmp_path / "data")
    samples = load(path, split_policy="own").samples
    assert {sample.id: sample.split for sample in samples} == own_records.SPLITS


def test_images_that_are_files_are_not_copied(tmp_path: Path) -> None:
    samples = {s.id: s for s in load(own_records.write(tmp_path / "data")).samples}
    assert samples["q1"].images[0].path == tmp_path / "data" / "images" / "park.jpg"
    assert samples["q6"].images[0].stored is not None


def test_an_empty_list_of_images_is_no_list_of_images(tmp_path: Path) -> None:
    own_records.write_images(tmp_path / "data")
    path = tmp_path / "data" / "own.jsonl"
    path.write_text(json.dumps({**GOOD, "images": [], "choices": [], "options": ["x", "y"]}))
    (sample,) = load(path).samples
    assert [image.read() for image in sample.images] == [drawn("park.jpg")]


def test_other_short_values_are_kept_to_be_shown_and_long_ones_are_not(tmp_path: Path) -> None:
    own_records.write_images(tmp_path / "data")
    others = {"level": 3, "note": "x" * 200, "essay": "x" * 201, "boxes": [1, 2], "none": None}
    path = tmp_path / "data" / "own.jsonl"
    path.write_text(json.dumps(GOOD | others), "utf-8")
    (sample,) = load(path).samples
    assert sample.meta == {"level": 3, "note": "x" * 200}


GOOD: dict[str, Any] = {
    "image": "park.jpg",
    "question": "Who sits on the bench?",
    "options": ["a cat", "a dog"],
    "answer": "A",
}


def with_bad_row(folder: Path, change: dict[str, Any]) -> tuple[Path, Benchmark]:
    """A file whose second record of three is changed."""
    own_records.write_images(folder)
    (folder / "images" / "notes.png").write_text("no image")
    (folder / "images" / "bomb.png").write_bytes(bomb())
    records = [{**GOOD, "id": f"q{number}"} for number in range(1, 4)]
    records[1].update(change)
    path = folder / "own.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path, load(path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"image": "gone.png"}, "column image: there is no image file 'gone.png' in "),
        ({"image": "/gone.png"}, "column image: there is no image file '/gone.png'"),
        ({"image": "../data"}, "column image: there is no image file '../data' in "),
        ({"image": "x." * 300}, "column image: "),
        ({"image": "a\0b.png"}, "column image: there is no image file 'a\\x00b.png'"),
        ({"image": "notes.png"}, "column image: "),
        ({"image": "bomb.png"}, "column image: "),
        ({"image": "data:image/png;base64,UE5"}, "column image: it is no valid base64"),
        ({"image": "https://example.org/a.png"}, "column image: it is an address on the web"),
        ({"image": {"path": "park.jpg"}}, "column image: it is no file name and no list of them"),
        ({"images": ["park.jpg", 3]}, "column images: it is no file name: '3'"),
        ({"question": ""}, "column question: it is empty"),
        ({"question": "<image>"}, "column question: it is empty but for <image>"),
        ({"question": "half a letter: \udce4"}, "column question: it is not UTF-8"),
        ({"options": None}, "column options: there are none"),
        ({"options": ["a cat"]}, "column options: it has one option; 2 or more are needed"),
        ({"options": "a cat or a dog"}, "column options: it is no list of options"),
        ({"options": ["a cat", ""]}, "column options: option B is empty"),
        ({"options": ["a cat", ["a"]]}, "column options: option B is no text"),
        ({"options": ["a cat", "\udce4"]}, "column options: option B: it is not UTF-8"),
        (
            {"options": {"A": "a", "C": "c"}},
            "column options: its options are called 'A', 'C', not A",
        ),
        ({"options": 3}, "column options: it is no list of options: '3'"),
        ({"answer": None}, "column answer: it is empty"),
        ({"answer": "C"}, "column answer: 'C' is none of its 2 options (A to B, 0 to 1, or"),
        ({"answer": 2}, "column answer: '2' is none of its 2 options"),
        ({"answer": -1}, "column answer: '-1' is none of its 2 options"),
        ({"answer": "a cow"}, "column answer: 'a cow' is none of its 2 options"),
        ({"answer": True}, "column answer: 'True' is no letter, index or text of an option"),
        ({"answer": ["A"]}, "column answer: \"['A']\" is no letter, index or text of an option"),
        (
            {"options": ["a cat", "a cat"], "answer": "a cat"},
            "column answer: 'a cat' could be options A and B; write the letter",
        ),
        (
            {"options": [1, 2, 3], "answer": 1},
            "column answer: '1' could be options A and B; write the letter",
        ),
        ({"id": "q1"}, "column id: the id 'q1' is that of row 1, too"),
    ],
)
def test_a_bad_record_is_named_and_the_others_are_read(
    change: dict[str, Any], line: str, tmp_path: Path
) -> None:
    path, benchmark = with_bad_row(tmp_path / "data", change)
    (problem,) = benchmark.bad_rows
    assert str(problem).startswith(f"{path}, row 2, {line}")
    assert [sample.id for sample in sorted(benchmark.samples, key=lambda s: s.id)] == ["q1", "q3"]


def test_what_is_wrong_with_an_image_file_is_said(tmp_path: Path) -> None:
    _, broken = with_bad_row(tmp_path / "one", {"image": "notes.png"})
    _, huge = with_bad_row(tmp_path / "two", {"image": "bomb.png"})
    assert "notes.png is not an image that Pillow can read" in broken.bad_rows[0].reason
    assert "pixels; at most 50 million are decoded" in huge.bad_rows[0].reason


def test_a_line_that_is_no_json_is_a_bad_row(tmp_path: Path) -> None:
    path = own_records.write(tmp_path / "data")
    text = path.read_text("utf-8").splitlines()
    text[4] = text[4][:30]
    path.write_text("\n".join(text), "utf-8")
    benchmark = load(path)
    assert str(benchmark.bad_rows[0]).startswith(f"{path}, row 5: it is no JSON")
    assert len(benchmark.samples) == 5


def test_a_line_that_is_not_utf_8_is_a_bad_row(tmp_path: Path) -> None:
    path = own_records.write(tmp_path / "data")
    path.write_bytes(path.read_bytes().replace("Wohin führt".encode(), b"Wohin f\xfchrt"))
    (problem,) = load(path).bad_rows
    assert str(problem).startswith(f"{path}, row 5, column question: it is not UTF-8")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("own.jsonl", b"", "has no rows; was its download stopped"),
        ("own.json", b"[]", "has no rows"),
        ("own.csv", b"id,question,answer\n", "has no rows"),
        ("own.jsonl", b"id\tquestion\tanswer\n", "JSON begins with an object on each line"),
        ("own.csv", b"id\tquestion\tanswer\n1\tq\tA\n", "is separated by a tab, and a comma is"),
        ("own.csv", b"id,frage,antwort\n1,q,A\n", "has no column question, answer; its columns"),
        ("own.jsonl", b'{"id": 1, "answer": "A"}', "has no column question"),
        ("own.json", b"PK\x03\x04rest", "is a zip archive; unpack it"),
        (
            "own.jsonl",
            b'{"question": "q", "answer": null, "options": ["a", "b"]}',
            "has no answers to compare a model's with; each record needs one",
        ),
        (
            "own.jsonl",
            b'{"question": "q", "answer": "A", "options": ["a", "b"]}',
            "no row of own is a sample .*: 1 no image, video or sound",
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "data" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=sentence) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_folder_or_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"there is no file or folder .*own\.jsonl"):
        load(tmp_path / "own.jsonl")
