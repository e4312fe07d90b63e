"""Images that a row names: files beside it, lists of them, base64 instead of a name."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_cache.formats.image_files import group_of_images, named_images
from data_cache.formats.rows import BadRow, Row
from data_cache.image_store import ImageStore
from data_cache.images import ImageFile
from tests.benchmark_files.drawn import drawn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    with ImageStore(tmp_path / "cache") as store:
        yield store


def images_of(cell: object, folder: Path, store: ImageStore) -> tuple[ImageFile, ...]:
    row = Row(file=folder / "own.csv", number=4, values={"image": cell})
    return named_images(row, "image", (folder, folder / "images"), store)


def test_the_first_folder_that_has_the_file_counts(tmp_path: Path, store: ImageStore) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(drawn("inner"))
    (tmp_path / "images" / "b.png").write_bytes(drawn("inner"))
    (tmp_path / "a.png").write_bytes(drawn("outer"))
    found = images_of("['a.png', 'b.png']", tmp_path, store)
    assert [image.read() for image in found] == [drawn("outer"), drawn("inner")]
    assert images_of(["a.png", "b.png"], tmp_path, store) == found
    assert images_of(str(tmp_path / "a.png"), tmp_path, store) == found[:1]


@pytest.mark.parametrize("cell", [None, "", " ", "nan", "[]", [], float("nan")])
def test_a_cell_may_name_none(cell: object, tmp_path: Path, store: ImageStore) -> None:
    assert images_of(cell, tmp_path, store) == ()


def test_long_texts_without_a_dot_are_base64(tmp_path: Path, store: ImageStore) -> None:
    (image,) = images_of(base64.b64encode(drawn("one")).decode(), tmp_path, store)
    assert image.stored is not None
    assert image.digest == ImageFile(data=drawn("one")).digest


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("gone.png", "there is no image file 'gone.png' in .* or .*images$"),
        ("images", "there is no image file 'images' in "),
        ("x.png" * 100, "there is no image file 'x.png.*…' in "),
        ([""], "it is no file name: ''"),
        (3.5, "it is no file name and no list of them: '3.5'"),
        ("caf\udce9.png", "it is not UTF-8"),
        ("https://example.org/a.png", "it is an address on the web .*; download the images"),
    ],
)
def test_what_names_no_image_is_a_bad_row(
    cell: object, reason: str, tmp_path: Path, store: ImageStore
) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(BadRow, match=rf"own\.csv, row 4, column image: {reason}"):
        images_of(cell, tmp_path, store)


def test_rows_that_show_the_same_image_first_are_one_group() -> None:
    one, two = ImageFile(data=drawn("one")), ImageFile(data=drawn("two"))
    assert group_of_images((one,)) == group_of_images((ImageFile(data=drawn("one")), two))
    assert group_of_images((one,)) != group_of_images((two, one))
    assert group_of_images(()) is None
