"""Everything at rest: benchmarks read from disk, chunks in the spool, the DuckDB query cache.

Importing the package is cheap; `duckdb` and `pyarrow` are imported by the modules that use them.
"""

from data_cache.errors import (
    BenchmarkError,
    CacheBusy,
    CacheDamaged,
    CacheError,
    CacheMissing,
    ChunkInvalid,
    DataError,
    SchemaTooNew,
    SchemaTooOld,
)

__all__ = [
    "BenchmarkError",
    "CacheBusy",
    "CacheDamaged",
    "CacheError",
    "CacheMissing",
    "ChunkInvalid",
    "DataError",
    "SchemaTooNew",
    "SchemaTooOld",
]
