"""Where a file lies that a row names: in one of the usual folders beside the row's own file."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from data_cache.formats.rows import Row, quoted


def bases_of(row: Row, root: Path) -> tuple[Path, ...]:
    """Return where folders of images are looked for: beside the file, above it, in the root.

    Parameters
    ----------
    row
        Of the file.
    root
        The folder in which the benchmark was found.
    """
    return tuple(dict.fromkeys((row.file.parent, root, row.file.parent.parent)))


def find_beside(
    row: Row,
    column: str,
    names: Sequence[str],
    bases: Sequence[Path],
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
    bases, folders
        Every base and every folder of each is looked in.
    whole
        Whether a name with folders in it (`/coco/train2017/1.jpg`) is looked for with these only,
        because another folder has another file of the same name.

    Raises
    ------
    BadRow
        If it is nowhere; the message has the places.
    """
    wanted: list[PurePosixPath] = []
    for name in names:
        path = PurePosixPath(name.replace("\\", "/").lstrip("/"))
        if not path.name or ".." in path.parts or "\0" in name:
            raise row.bad(column, f"{quoted(name)} is no name of a file beside the table")
        wanted += [path] if whole else [path, PurePosixPath(path.name)]
    wanted = list(dict.fromkeys(wanted))
    for folder in ("", *folders):
        for base in bases:
            for name in wanted:
                path = base / folder / name
                try:
                    if path.is_file():
                        return path
                except OSError:  # a name longer than any file's
                    continue
    where = " or ".join(map(str, bases))
    also = f", nor in a folder {' or '.join(folders)} there" if folders else ""
    raise row.bad(column, f"there is no file {quoted(names[0])} in {where}{also}")
