"""How pyarrow is imported here: it ships no types, so to the type checker it is `Any`."""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    pa: Any
    pc: Any
    pq: Any
    Table: TypeAlias = Any
else:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    Table = pa.Table

__all__ = ["Table", "pa", "parquet_bytes", "pc", "pq"]


def parquet_bytes(table: Table, metadata: dict[str, str]) -> bytes:
    """Encode a table as Parquet: equal rows and metadata give equal bytes (per pyarrow version).

    Parameters
    ----------
    table
        Rows in their final order.
    metadata
        Key-value metadata of the file.
    """
    encoded = {name.encode(): text.encode() for name, text in sorted(metadata.items())}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(encoded).combine_chunks(),
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
        row_group_size=1 << 20,
    )
    return sink.getvalue().to_pybytes()
