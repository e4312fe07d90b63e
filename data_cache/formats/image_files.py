"""Images that a table names instead of holding: where the files are, and who shares one."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from data_cache.errors import BenchmarkError
from data_cache.formats.embedded import decode_base64, list_of
from data_cache.formats.rows import Row, quoted
from data_cache.image_store import ImageStore
from data_cache.images import ImageFile

LONGEST_STEM = 64
"""Characters; a longer text without a dot is base64, because a file name has its ending."""


def named_images(
    row: Row, column: str, folders: Sequence[Path], store: ImageStore
) -> tuple[ImageFile, ...]:
    """Return the images that a cell names: one, a list, or a Python list as text.

    Parameters
    ----------
    row, column
        The cell. A data URL, or a long text without a dot, is base64.
    folders
        Where a relative path may begin, in the order in which they are tried.
    store
        Remembers the files, and takes what is base64.

    Raises
    ------
    BadRow
        If there is no such file, or it cannot be used as an image.
    """
    value = row.get(column)
    if isinstance(value, str):
        text = row.optional(column)
        value = [] if text is None else list_of(text)
    if value is None or value != value:
        return ()
    if not isinstance(value, list):
        raise row.bad(column, f"it is no file name and no list of them: {quoted(value)}")
    images: list[ImageFile] = []
    for item in cast(list[object], value):
        if not isinstance(item, str) or not item.strip():
            raise row.bad(column, f"it is no file name: {quoted(item)}")
        try:
            images.append(_image(item.strip(), folders, store))
        except BenchmarkError as error:
            raise row.bad(column, str(error)) from error
    return tuple(images)


def _image(name: str, folders: Sequence[Path], store: ImageStore) -> ImageFile:
    if name.startswith("data:") or (len(name) > LONGEST_STEM and "." not in name):
        return store.keep(decode_base64(name), "it")
    if name.startswith(("http://", "https://")):
        raise BenchmarkError(
            f"it is an address on the web ({quoted(name)}); download the images and name the files"
        )
    for folder in folders:
        # Texts and not paths, for speed; an absolute name stays what it is.
        place = os.path.join(folder, name)
        if os.path.isfile(place):
            return store.file(Path(place))
    if Path(name).is_absolute():
        raise BenchmarkError(f"there is no image file {quoted(name)}")
    where = " or ".join(map(str, folders))
    raise BenchmarkError(f"there is no image file {quoted(name)} in {where}")


def group_of_images(images: Sequence[ImageFile]) -> str | None:
    """Return a group for all rows that show the same first image; None where there is none.

    Rows about one picture belong on one side of a split, whatever the file says of groups.
    """
    return f"image-{images[0].digest[:16]}" if images else None
