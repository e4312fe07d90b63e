"""What tables the query cache has, and how an older file becomes a current one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from data_cache.errors import SchemaTooNew, SchemaTooOld
from data_cache.location import command


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 1: the tables; every row of them comes from a file of the spool."""
    connection.execute("CREATE TABLE cache_schema (version INTEGER NOT NULL)")
    connection.execute("INSERT INTO cache_schema VALUES (0)")
    # The ledger. `name` is the path below the spool, `fingerprint` tells a rewritten file.
    connection.execute(
        """CREATE TABLE files (
               name VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL, owner VARCHAR NOT NULL,
               block INTEGER, fingerprint VARCHAR NOT NULL, superseded_by VARCHAR,
               ingested_at TIMESTAMP NOT NULL)"""
    )
    connection.execute(
        """CREATE TABLE runs (
               run_key VARCHAR PRIMARY KEY, model VARCHAR NOT NULL, family VARCHAR NOT NULL,
               benchmark VARCHAR NOT NULL, benchmark_key VARCHAR NOT NULL, config VARCHAR NOT NULL,
               self_test VARCHAR NOT NULL, environment VARCHAR NOT NULL)"""
    )
    # One row per block of a run: what all of its samples have.
    connection.execute(
        """CREATE TABLE blocks (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, n_samples INTEGER NOT NULL,
               draws INTEGER NOT NULL, layers VARCHAR NOT NULL, PRIMARY KEY (run_key, block))"""
    )
    # The large tables have no primary key: it would triple them, and ingest keeps keys unique.
    connection.execute(
        """CREATE TABLE predictions (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, sample_id VARCHAR NOT NULL,
               condition VARCHAR NOT NULL, draw SMALLINT NOT NULL, layer SMALLINT NOT NULL,
               scores FLOAT[] NOT NULL, strict_choice SMALLINT NOT NULL,
               top_token INTEGER NOT NULL)"""
    )
    connection.execute(
        """CREATE TABLE features (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, sample_id VARCHAR NOT NULL,
               text_tokens INTEGER, image_tokens INTEGER, features_1 FLOAT[], features_2 FLOAT[])"""
    )
    connection.execute(
        """CREATE TABLE samples (
               benchmark_key VARCHAR NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,
               sample_id VARCHAR NOT NULL, group_id VARCHAR NOT NULL, subset VARCHAR NOT NULL,
               split VARCHAR NOT NULL, system VARCHAR, question VARCHAR NOT NULL,
               options VARCHAR[] NOT NULL, answer SMALLINT NOT NULL, meta VARCHAR NOT NULL,
               thumbnails BLOB[] NOT NULL)"""
    )
    connection.execute(
        """CREATE TABLE estimates (
               estimate_key VARCHAR PRIMARY KEY, run_key VARCHAR NOT NULL, model VARCHAR NOT NULL,
               benchmark VARCHAR NOT NULL, subset VARCHAR NOT NULL, split VARCHAR NOT NULL,
               layer SMALLINT NOT NULL, estimator VARCHAR NOT NULL, record VARCHAR NOT NULL)"""
    )
    connection.execute(
        """CREATE TABLE pointwise (
               estimate_key VARCHAR NOT NULL, sample_id VARCHAR NOT NULL, redundancy DOUBLE,
               unique_1 DOUBLE, unique_2 DOUBLE, synergy DOUBLE, synergy_ratio DOUBLE,
               shortcut DOUBLE, fusion_potential DOUBLE, gap_score DOUBLE)"""
    )


def add_layer_features(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 2: what each modality's positions hold at an inner layer, for runs that kept it."""
    connection.execute(
        """CREATE TABLE layer_features (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, sample_id VARCHAR NOT NULL,
               layer SMALLINT NOT NULL, features_1 FLOAT[] NOT NULL, features_2 FLOAT[] NOT NULL)"""
    )


def add_influences(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 3: what each sample adds to the atoms to first order; null in older estimates."""
    for atom in ("redundancy", "unique_1", "unique_2", "synergy"):
        connection.execute(f"ALTER TABLE pointwise ADD COLUMN influence_{atom} FLOAT")


def keep_thumbnails_once(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 4: each thumbnail once, by its image's digest, instead of in each sample's row.

    Which images the thumbnails were made of is unknown; see `sample_chunks.MAY_BE_SMALLER`.
    """
    # Encoded images do not get smaller, and of what DuckDB compresses it can read only all of some
    # thousand rows at once: a page of 24 would take a hundred times as long.
    connection.execute(
        """CREATE TABLE thumbnails (
               digest VARCHAR NOT NULL, data BLOB NOT NULL USING COMPRESSION uncompressed)"""
    )
    connection.execute(
        """INSERT INTO thumbnails
               SELECT 'thumbnail:' || sha256(data) AS digest, any_value(data)
               FROM (SELECT unnest(thumbnails) AS data, position FROM samples)
               GROUP BY digest ORDER BY min(position), digest"""
    )
    connection.execute(
        """CREATE TABLE new_samples (
               benchmark_key VARCHAR NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,
               sample_id VARCHAR NOT NULL, group_id VARCHAR NOT NULL, subset VARCHAR NOT NULL,
               split VARCHAR NOT NULL, system VARCHAR, question VARCHAR NOT NULL,
               options VARCHAR[] NOT NULL, answer SMALLINT NOT NULL, meta VARCHAR NOT NULL,
               images VARCHAR[] NOT NULL, video VARCHAR, audio VARCHAR)"""
    )
    connection.execute(
        """INSERT INTO new_samples
               SELECT * EXCLUDE (thumbnails),
                      list_transform(thumbnails, lambda data: 'thumbnail:' || sha256(data)),
                      NULL, NULL
               FROM samples ORDER BY benchmark_key, position"""
    )
    connection.execute("DROP TABLE samples")
    connection.execute("ALTER TABLE new_samples RENAME TO samples")


def count_by_split(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 5: how many samples of each split and subset a block of a run has.

    So that an overview need not read the predictions.
    """
    connection.execute(
        """CREATE TABLE covered (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, split VARCHAR NOT NULL,
               subset VARCHAR NOT NULL, n_samples INTEGER NOT NULL)"""
    )
    connection.execute(
        """INSERT INTO covered
               SELECT run_key, block, split, subset, count(*)
               FROM (SELECT DISTINCT run_key, block, sample_id FROM predictions)
               JOIN runs USING (run_key) JOIN samples USING (benchmark_key, block, sample_id)
               GROUP BY ALL ORDER BY ALL"""
    )


def add_swaps(connection: duckdb.DuckDBPyConnection) -> None:
    """Migration 6: whose source 2 a prediction of the condition `swap` was shown.

    Beside the predictions, of which few are swaps.
    """
    connection.execute(
        """CREATE TABLE swaps (
               run_key VARCHAR NOT NULL, block INTEGER NOT NULL, sample_id VARCHAR NOT NULL,
               draw SMALLINT NOT NULL, partner VARCHAR NOT NULL)"""
    )


Migration = Callable[[duckdb.DuckDBPyConnection], None]

MIGRATIONS: tuple[Migration, ...] = (
    create_tables, add_layer_features, add_influences, keep_thumbnails_once, count_by_split,
    add_swaps,
)  # fmt: skip
"""Step i brings a file of schema i to schema i + 1. Steps are added, never changed."""

SCHEMA_VERSION = len(MIGRATIONS)

TABLES = (
    "files", "runs", "blocks", "predictions", "features", "layer_features", "samples",
    "thumbnails", "estimates", "pointwise", "covered", "swaps",
)  # fmt: skip
"""Every table that holds data."""


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the schema version of an open file; 0 when it has no tables yet."""
    # fetchall, not fetchone: a half-fetched result would keep the connection busy.
    known = connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name = 'cache_schema'"
    ).fetchall()
    if known[0][0] == 0:
        return 0
    return int(connection.execute("SELECT max(version) FROM cache_schema").fetchall()[0][0])


def migrate(
    connection: duckdb.DuckDBPyConnection, cache: Path, *, steps: Sequence[Migration] = MIGRATIONS
) -> None:
    """Bring an open file to the schema of the last of the steps, in one transaction.

    Raises
    ------
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    version = version_of(connection)
    refuse_newer(version, cache)
    if version == len(steps):
        return
    connection.execute("BEGIN")
    try:
        for step in steps[version:]:
            step(connection)
        connection.execute("UPDATE cache_schema SET version = ?", [len(steps)])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def refuse_newer(version: int, cache: Path) -> None:
    """Raise SchemaTooNew for a version that this PIDscope does not know."""
    if version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"the cache {cache} was written by a newer PIDscope (schema {version}, this one reads "
            f"{SCHEMA_VERSION}); upgrade or choose another folder with --cache"
        )


def refuse_older(version: int, cache: Path) -> None:
    """Raise SchemaTooOld for a file that a reader cannot upgrade."""
    if version < SCHEMA_VERSION:
        raise SchemaTooOld(
            f"the cache {cache} was written by an older PIDscope (schema {version}, this one reads "
            f"{SCHEMA_VERSION}); run {command('ingest', cache)} to upgrade it"
        )
