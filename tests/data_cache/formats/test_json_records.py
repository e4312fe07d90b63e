"""Records in JSON: lines or an array, whatever the name says."""

import json
from pathlib import Path

import pytest

from data_cache.errors import BenchmarkError
from data_cache.formats.json_records import READ_CHARACTERS, read_json
from data_cache.formats.rows import BadRow


def file(folder: Path, content: bytes | str) -> Path:
    path = folder / "records.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    ['{"a": 1}\n\n{"a": 2}\n', ' [{"a": 1},\n {"a": 2}]', '\ufeff\n{"a": 1}\n{"a": 2}'],
    ids=["lines", "array", "byte order mark"],
)
def test_lines_and_arrays_are_told_apart_by_their_first_character(
    tmp_path: Path, content: str
) -> None:
    rows = list(read_json(file(tmp_path, content), required=("a",)))
    assert [row.get("a") for row in rows] == [1, 2]


def test_a_line_that_is_no_json_or_no_object_is_one_bad_row(tmp_path: Path) -> None:
    rows = list(read_json(file(tmp_path, '{"a": 1}\n{"a": \n[3]\n{"a": 4}\n')))
    assert [row.problem is None for row in rows] == [True, False, False, True]
    assert "records.json, row 2: it is no JSON" in str(rows[1].problem)
    assert "no object with names" in str(rows[2].problem)


def test_a_byte_that_is_not_utf_8_spoils_its_own_value_only(tmp_path: Path) -> None:
    content = b'{"a": "caf\xe9", "b": "x"}\n{"a": "y", "b": "z"}\n'
    first, second = read_json(file(tmp_path, content))
    with pytest.raises(BadRow, match="row 1, column a: it is not UTF-8"):
        first.text("a")
    assert (first.text("b"), second.text("a")) == ("x", "y")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "has no rows"),
        ("[]", "has no rows"),
        ("question\tanswer\n", "begins with 'q'"),
        ('[{"a": 1}, {"a"', "is no JSON, record 2.*was its download stopped"),
        ('{\n "a": 1\n}\n', "one object over several lines"),
        ('{"b": 1}\n', "has no column a; its columns are b"),
        (b"PK\x03\x04rest", "is a zip archive"),
    ],
)
def test_a_file_that_holds_no_records_is_refused(
    tmp_path: Path, content: bytes | str, says: str
) -> None:
    with pytest.raises(BenchmarkError, match=says) as caught:
        list(read_json(file(tmp_path, content), required=("a",)))
    assert "records.json" in str(caught.value)


def test_records_of_an_array_are_the_same_wherever_it_is_cut_for_reading(tmp_path: Path) -> None:
    # Longer than what is read at a time, with records shorter and longer than that.
    records = [{"n": n, "text": '"]},\\' * (n % 7 * 3000), "list": [n / 7] * n} for n in range(60)]
    records[40]["text"] = "x" * (2 * READ_CHARACTERS)
    path = file(tmp_path, json.dumps(records, indent=1) + "\n\n")
    assert path.stat().st_size > 3 * READ_CHARACTERS
    assert [row.values for row in read_json(path)] == records


def test_what_stands_before_the_cut_of_an_array_is_read(tmp_path: Path) -> None:
    found = read_json(file(tmp_path, '[{"a": 1}, {"a": 2} {"a": 3}]'))
    assert [next(found).get("a"), next(found).get("a")] == [1, 2]
    with pytest.raises(BenchmarkError, match=r"'{' stands after record 2"):
        next(found)


@pytest.mark.parametrize("start", ["[", '{"a": '])
def test_brackets_without_end_are_refused_in_a_sentence(tmp_path: Path, start: str) -> None:
    path = file(tmp_path, start * 50_000 + "\n")
    try:
        problems = [str(row.problem) for row in read_json(path)]
    except BenchmarkError as error:
        problems = [str(error)]
    assert "is no JSON" in problems[0]
