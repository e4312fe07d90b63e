"""A file that a row names is found beside the row's own file, and nowhere else."""

from pathlib import Path

import pytest

from data_cache.formats.beside import find_beside
from data_cache.formats.rows import BadRow, Row


@pytest.fixture
def row(tmp_path: Path) -> Row:
    for place in ("root/json", "root/images/sub", "outside"):
        (tmp_path / place).mkdir(parents=True)
    return Row(file=tmp_path / "root" / "json" / "rows.json", number=7)


def test_the_table_comes_before_folders_and_the_first_folder_before_the_second(
    row: Row, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    places = [root / "images" / "sub" / "a.jpg", root / "images" / "a.jpg", root / "json" / "a.jpg"]
    for path in places:
        path.write_text("x")
        assert find_beside(row, "image", ("a.jpg",), root, ("images", "images/sub")) == path


def test_a_name_with_folders_is_found_with_and_without_them(row: Row, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "images" / "a.jpg").write_text("x")
    name = "/coco\\train/a.jpg"
    assert find_beside(row, "image", (name,), root, ("images",)) == root / "images" / "a.jpg"
    with pytest.raises(BadRow):
        find_beside(row, "image", (name,), root, ("images",), whole=True)


@pytest.mark.parametrize(
    "name",
    ["../outside/a.jpg", "images/../../outside/a.jpg", "..\\outside\\a.jpg", "/", "a\0b", ".."],
)
def test_nothing_outside_is_looked_at(name: str, row: Row, tmp_path: Path) -> None:
    (tmp_path / "outside" / "a.jpg").write_text("x")
    with pytest.raises(BadRow, match="is no name of a file beside the table"):
        find_beside(row, "image", (name,), tmp_path / "root", ("images",))


def test_an_absolute_name_is_one_beside_the_table(row: Row, tmp_path: Path) -> None:
    (tmp_path / "outside" / "a.jpg").write_text("x")
    with pytest.raises(BadRow, match="there is no file"):
        find_beside(row, "image", (str(tmp_path / "outside" / "a.jpg"),), tmp_path / "root")


def test_a_folder_and_a_name_too_long_are_no_files(row: Row, tmp_path: Path) -> None:
    for name in ("images", "a" * 5000):
        with pytest.raises(
            BadRow, match=r"row 7, column image: there is no file .* nor in a folder"
        ):
            find_beside(row, "image", (name,), tmp_path / "root", ("images",))
