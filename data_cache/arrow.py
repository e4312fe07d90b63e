"""How pyarrow is imported here (it ships no types: `Any`), and how our Parquet is written and read.

Each page carries a checksum, and so does the metadata: a bit that a disk or a copy has turned over
is an error and never a number.
"""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    pa: Any
    pc: Any
    pq: Any
    Table: TypeAlias = Any
    UNREADABLE: tuple[type[Exception], ...]
else:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    Table = pa.Table
    UNREADABLE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""`UNREADABLE` is what reading a broken Parquet file raises."""

__all__ = [
    "UNREADABLE",
    "Table",
    "is_as_written",
    "pa",
    "parquet_bytes",
    "parquet_file",
    "pc",
    "pq",
]

_CHECKSUM = "checksum"


def parquet_bytes(table: Table, metadata: dict[str, str]) -> bytes:
    """Encode a table as Parquet: equal rows and metadata give equal bytes (per pyarrow version).

    Parameters
    ----------
    table
        Rows in their final order.
    metadata
        Key-value metadata of the file.
    """
    plain = table.replace_schema_metadata(None).combine_chunks()
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        plain.schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        # Numbers hardly repeat: a dictionary of them is longer than they are.
        use_dictionary=[one.name for one in plain.schema if pa.types.is_string(one.type)],
        write_statistics=True,
        # Arrow's own copy of schema and metadata says nothing new of the types that lie here, and
        # would be an eighth of a chunk and a quarter of an estimate.
        store_schema=False,
        write_page_checksum=True,
    ) as file:
        file.write_table(plain, row_group_size=1 << 20)
        file.add_key_value_metadata(
            {**dict(sorted(metadata.items())), _CHECKSUM: _checksum(metadata)}
        )
    return sink.getvalue().to_pybytes()


def is_as_written(metadata: Mapping[bytes, bytes]) -> bool:
    """Whether the key-value metadata of a file of ours is what was written; true of older files."""
    kept = metadata.get(_CHECKSUM.encode())
    others = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in metadata.items()
        if key not in {_CHECKSUM.encode(), b"ARROW:schema"}
    }
    return kept is None or kept.decode("ascii", "replace") == _checksum(others)


def _checksum(metadata: Mapping[str, str]) -> str:
    text = "\0".join(f"{key}\0{value}" for key, value in sorted(metadata.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def parquet_file(path: Path) -> Generator[Any]:
    """Open a `pyarrow.parquet.ParquetFile` whose pages are held to their checksums.

    Pages of files that were written before there were any are read as they are.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If it cannot be read, or a page is not what was written.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        yield file
