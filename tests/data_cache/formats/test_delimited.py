"""Tables of text: quoted lines, wrong delimiters, bytes that are no UTF-8."""

from pathlib import Path

import pytest

from data_cache.errors import BenchmarkError
from data_cache.formats.delimited import read_delimited
from data_cache.formats.rows import BadRow


def table(folder: Path, content: bytes | str, name: str = "t.tsv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_quoted_cell_has_several_lines_tabs_and_quotes(tmp_path: Path) -> None:
    path = table(tmp_path, 'a\tb\n"x\n\ty ""z"""\t2\n\n3\t4\r\n')
    rows = list(read_delimited(path, delimiter="\t", required=("a",)))
    assert [(row.number, row.get("a"), row.get("b")) for row in rows] == [
        (1, 'x\n\ty "z"', "2"),
        (2, "3", "4"),
    ]


def test_a_cell_of_megabytes_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = table(tmp_path, b"\xef\xbb\xbfa\tb\n" + b"x" * 3_000_000 + b"\t1\n")
    (row,) = read_delimited(path, delimiter="\t", required=("a", "b"))
    assert len(row.text("a")) == 3_000_000


def test_a_cell_that_is_not_utf_8_is_one_bad_row_with_its_column(tmp_path: Path) -> None:
    path = table(tmp_path, b"a\tb\n1\tfine\n2\t" + "café".encode("latin-1") + b"\n")
    fine, other = read_delimited(path, delimiter="\t")
    assert fine.text("b") == "fine"
    with pytest.raises(BadRow, match=r"t\.tsv, row 2, column b: it is not UTF-8"):
        other.text("b")
    assert other.text("a") == "2"


def test_none_na_and_null_are_words_and_nan_is_not(tmp_path: Path) -> None:
    path = table(tmp_path, "a\tb\nNone\tnan\nNA\t\nnull\t 3 \n")
    rows = list(read_delimited(path, delimiter="\t"))
    assert [row.optional("a") for row in rows] == ["None", "NA", "null"]
    assert [row.optional("b") for row in rows] == [None, None, "3"]


def test_a_row_with_other_cells_than_the_header_is_bad(tmp_path: Path) -> None:
    path = table(tmp_path, "a\tb\n1\t2\n3\n4\t5\t6\n")
    rows = list(read_delimited(path, delimiter="\t"))
    assert [row.problem is None for row in rows] == [True, False, False]
    assert "row 2" in str(rows[1].problem)
    assert "it has 3 cells, and the header has 2" in str(rows[2].problem)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("index,question\n1,q\n", "is separated by a comma, and a tab is expected"),
        ("index\tanswer\n1\tA\n", r"has no column question; its columns are index, answer"),
        ("", "has no rows"),
        ("index\tquestion\n", "has no rows"),
        (b"PK\x03\x04rest", r"is a zip archive; unpack it \(unzip"),
        (b"\x1f\x8b\x08rest", r"is compressed; unpack it \(gzip -d"),
        ("index\tquestion\n1\tq\n".encode("utf-16"), "is UTF-16, and UTF-8 is expected"),
        (b"\n<!DOCTYPE html><title>404", "is a web page and no table"),
        (b"version https://git-lfs.github.com/spec/v1", r"Git LFS .* \(git lfs pull\)"),
        (b"index\tr\xe9ponse\n1\tA\n", r"has no column question; its columns are index, r\?p"),
        ("index\tquestion\tindex\n1\tq\t1\n", "has two columns 'index'; rename one of them"),
    ],
)
def test_a_file_that_cannot_be_the_table_is_refused(
    tmp_path: Path, content: bytes | str, says: str
) -> None:
    path = table(tmp_path, content)
    with pytest.raises(BenchmarkError, match=says) as caught:
        list(read_delimited(path, delimiter="\t", required=("index", "question")))
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"none\.tsv cannot be read: No such file"):
        list(read_delimited(tmp_path / "none.tsv", delimiter="\t"))
