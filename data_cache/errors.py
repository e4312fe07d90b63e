"""What can go wrong with data at rest, in sentences for a person.

DataError
├── BenchmarkError        a benchmark's files or samples cannot be used
└── CacheError            the cache folder, its chunks or its database cannot be used
    ├── CacheMissing      there is no database in the folder yet
    ├── CacheBusy         another process held the database for too long
    ├── CacheDamaged      the database cannot be read; it can be rebuilt from its chunks
    ├── ChunkInvalid      a chunk breaks a rule; it is quarantined on ingest
    ├── ReadOnly          nothing may be written here, or not by the person who asks
    ├── SchemaTooNew      written by a newer PIDscope
    └── SchemaTooOld      written by an older PIDscope, and open for reading only
"""


class DataError(Exception):
    """Base of everything that data_cache raises on purpose."""


class BenchmarkError(DataError):
    """A benchmark's files or samples cannot be used."""


class CacheError(DataError):
    """The cache folder, its chunks or its database cannot be used."""


class CacheMissing(CacheError):
    """There is no database in the folder yet."""


class CacheBusy(CacheError):
    """Another process held the database for longer than the caller was ready to wait."""


class CacheDamaged(CacheError):
    """The database cannot be read; every row of it can be rebuilt from the chunks."""


class ChunkInvalid(CacheError):
    """A chunk breaks a rule of its format."""


class ReadOnly(CacheError):
    """Nothing may be written here, or not by the person who asks."""


class SchemaTooNew(CacheError):
    """The database or a chunk was written by a newer PIDscope."""


class SchemaTooOld(CacheError):
    """The database was written by an older PIDscope and must be upgraded by a writer."""
