"""Images in cells: base64, structs, lists, and rows that name another row's image."""

import base64
import sqlite3
from pathlib import Path

import pytest

from data_cache.errors import BenchmarkError
from data_cache.formats.embedded import decode_base64, image_struct, list_of, with_images
from data_cache.formats.rows import Row
from data_cache.image_store import ImageStore
from tests.benchmark_files.drawn import bomb, drawn


def text_of(name: str) -> str:
    return base64.b64encode(drawn(name)).decode()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def read(cache: Path, *cells: tuple[object, object]) -> dict[str, Row]:
    rows = [
        Row(file=Path("table.tsv"), number=number, values={"index": index, "image": image})
        for number, (index, image) in enumerate(cells, start=1)
    ]
    with ImageStore(cache) as store:
        return {str(row.get("index")): row for row in with_images(rows, store)}


def pictures(row: Row) -> list[bytes]:
    assert row.problem is None, row.problem
    return [image.read() for image in row.images]


def test_base64_is_read_with_wrapped_lines_and_as_a_data_url() -> None:
    text = text_of("one")
    assert decode_base64(text) == drawn("one")
    assert decode_base64("\n".join(text[i : i + 76] for i in range(0, len(text), 76))) == drawn(
        "one"
    )
    assert decode_base64(f"data:image/png;base64,{text}") == drawn("one")


@pytest.mark.parametrize("text", ["not base64!", "UE5", "UE5H=UE5", "\udcffUE5H", "="])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(BenchmarkError, match="it is no valid base64"):
        decode_base64(text)


def test_a_struct_has_its_bytes_or_says_that_only_the_path_is_there() -> None:
    raw = drawn("one")
    assert image_struct({"bytes": raw, "path": "one.png"}) == raw
    assert image_struct(raw) == raw
    assert image_struct(text_of("one")) == raw
    with pytest.raises(BenchmarkError, match=r"only the path 'one\.png'"):
        image_struct({"bytes": None, "path": "one.png"})
    for nothing in (None, "", {"bytes": None, "path": None}, b""):
        with pytest.raises(BenchmarkError, match="there is no image in it"):
            image_struct(nothing)


def test_a_list_in_a_cell_is_a_python_literal_and_anything_else_is_one_text() -> None:
    assert list_of("""['a, b', "it's"]""") == ["a, b", "it's"]
    assert list_of("[1, 2.5]") == ["1", "2.5"]
    assert list_of("[broken") == ["[broken"]
    assert list_of("['a', None]") == ["['a', None]"]
    assert list_of("['a', ['b']]") == ["['a', ['b']]"]
    assert list_of("[__import__('os')]") == ["[__import__('os')]"]
    assert list_of("[" * 5000 + "]" * 5000)[0].startswith("[[")
    assert list_of(f"[{'-' * 100_000}1]")[0].startswith("[--")
    assert list_of("a, b") == ["a, b"]


def test_a_rotated_copy_has_the_image_of_the_row_it_names(cache: Path) -> None:
    rows = read(cache, ("12", text_of("one")), ("1000012", "12"), ("2000012", "12.0"))
    assert [pictures(row) for row in rows.values()] == [[drawn("one")]] * 3
    assert rows["12"].images == rows["2000012"].images
    assert "image" not in rows["12"].values


def test_a_row_may_name_a_later_one_or_one_that_names_another(cache: Path) -> None:
    rows = read(cache, (4, "3"), (3, "2"), (2, 1), (1, text_of("one")))
    assert [pictures(rows[name]) for name in "1234"] == [[drawn("one")]] * 4


def test_a_cell_may_hold_several_images_or_none(cache: Path) -> None:
    several = str([text_of("one"), text_of("two")])
    rows = read(
        cache,
        ("1", several),
        ("2", "1"),
        ("3", ""),
        ("4", "nan"),
        ("5", None),
        ("6", float("nan")),
        ("7", {"bytes": drawn("six"), "path": None}),
        ("8", [{"bytes": drawn("six")}, {"bytes": drawn("one")}]),
    )
    assert pictures(rows["1"]) == pictures(rows["2"]) == [drawn("one"), drawn("two")]
    assert [rows[name].images for name in "3456"] == [()] * 4
    assert pictures(rows["7"]) == [drawn("six")]
    assert pictures(rows["8"]) == [drawn("six"), drawn("one")]


def test_an_image_that_cannot_be_used_is_a_problem_of_its_row_and_of_those_that_name_it(
    cache: Path,
) -> None:
    large, huge = (base64.b64encode(bomb(side)).decode() for side in (8_000, 20_000))
    rows = read(
        cache,
        ("1", text_of("one")[:-7]),
        (
            "2",
            base64.b64encode(b"no image, but longer than any reference to a row may be").decode(),
        ),
        ("3", huge),
        ("4", "99"),
        ("5", "1"),
        ("6", "6"),
        ("7", str([text_of("one"), text_of("two")[:-7]])),
        ("8", large),
        ("9", text_of("two")),
        ("10", ""),
        ("11", "10"),
    )
    lines = {name: str(row.problem) for name, row in rows.items() if row.problem is not None}
    assert set(lines) == {*"12345678", "11"}
    assert all(
        line.startswith(f"table.tsv, row {name}, column image: ") for name, line in lines.items()
    )
    assert "it is no valid base64 (" in lines["1"]
    assert "it is not an image that Pillow can read: it has no header of one" in lines["2"]
    assert "it has far more pixels; at most 50 million are decoded" in lines["3"]
    assert "it has 8000 x 8000 pixels; at most 50 million are decoded" in lines["8"]
    assert "neither base64 nor the index of a row with an image: '99'" in lines["4"]
    assert "'1'" in lines["5"]
    assert "'6'" in lines["6"]
    assert "'10'" in lines["11"]
    assert "image 2 of 2: it is no valid base64" in lines["7"]


def test_an_image_is_kept_once_however_many_rows_show_it(cache: Path) -> None:
    read(cache, ("1", text_of("one")), ("2", text_of("one")), ("3", "1"))
    with sqlite3.connect(cache / "images.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM images").fetchone() == (1,)
    connection.close()
