"""Where a file lies that a row names: in one of the usual folders beside the row's own file."""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from data_cache.formats.rows import Row, quoted


@lru_cache(maxsize=64)
def bases_of(table: Path, root: Path) -> tuple[str, ...]:
    """Return where folders of images are looked for: beside the table, above it, in the root.

    Parameters
    ----------
    table
        The file that names them.
    root
        The folder in which the benchmark was found.
    """
    return tuple(map(str, dict.fromkeys((table.parent, root, table.parent.parent))))


def find_beside(
    row: Row,
    column: str,
    names: Sequence[str],
    root: Path,
    folders: Sequence[str] = (),
    *,
    whole: bool = False,
) -> Path:
    """Return the first file that is there; nothing outside the bases is looked at.

    Parameters
    ----------
    row, column
        What names the file, for the message.
    names
        What it may be called, the likeliest first.
    root
        The folder in which the benchmark was found.
    folders
        Looked in after the bases themselves, in each of them.
    whole
        Whether a name with folders in it (`/coco/train2017/1.jpg`) is looked for with these only,
        because another folder has another file of the same name.

    Raises
    ------
    BadRow
        If it is nowhere; the message has the places.
    """
    # Texts and not paths: with 100,000 rows the difference is half a minute.
    wanted: dict[str, None] = {}
    for name in names:
        plain = name.replace("\\", "/")
        bare = plain.rpartition("/")[2]
        if bare in {"", ".", ".."} or "\0" in name or ".." in plain.split("/"):
            raise row.bad(column, f"{quoted(name)} is no name of a file beside the table")
        wanted[plain] = None
        if not whole:
            wanted[bare] = None
    bases = bases_of(row.file, root)
    for folder in ("", *folders):
        for base in bases:
            place = f"{base}/{folder}/" if folder else f"{base}/"
            for name in wanted:
                if os.path.isfile(place + name):
                    return Path(place + name)
    where = " or ".join(bases)
    also = f", nor in a folder {' or '.join(folders)} there" if folders else ""
    raise row.bad(column, f"there is no file {quoted(names[0])} in {where}{also}")
