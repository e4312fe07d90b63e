"""How a batch becomes rows and ledger entries, inside the transaction of the caller."""

import datetime
import json
from collections.abc import Sequence

import duckdb

from data_cache.arrow import Table, pa
from data_cache.batch import Batch, Block
from data_cache.plan import OUTPUT_LAYER
from data_cache.records import INFLUENCES, WITH_INFLUENCES
from data_cache.sample_chunks import SAMPLE_SCHEMA
from data_cache.spool import Kind, SpoolFile

_BLOCK_KEYS = pa.schema([("run_key", pa.string()), ("block", pa.int32())])


def insert(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Write a batch: rows that it replaces go, its own come, and the ledger says so."""
    _forget_bad(connection, [file for file, _ in batch.bad])
    _insert_runs(connection, batch)
    _insert_samples(connection, batch)
    _insert_blocks(connection, batch.blocks)
    _count_by_split(connection, batch)
    _insert_estimates(connection, batch)
    _insert_ledger(connection, batch)


def _insert_runs(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    for sidecar in batch.sidecars:
        config = sidecar.config
        connection.execute(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                sidecar.run_key,
                config["model"],
                config["family"],
                config["benchmark"],
                config["benchmark_key"],
                json.dumps(config, ensure_ascii=False),
                json.dumps(sidecar.self_test, ensure_ascii=False),
                json.dumps(sidecar.environment, ensure_ascii=False),
            ],
        )


def _insert_samples(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    if not batch.samples:
        return
    tables = [
        _with_constants(chunk.table, benchmark_key=chunk.benchmark_key, block=chunk.index)
        for chunk in batch.samples
    ]
    connection.register("incoming", pa.concat_tables(tables))
    replaced = connection.execute(
        """DELETE FROM samples WHERE (benchmark_key, block) IN
               (SELECT DISTINCT benchmark_key, block FROM incoming)"""
    ).fetchall()
    if replaced[0][0]:
        _forget_thumbnails(connection)
    columns = ", ".join(name for name in SAMPLE_SCHEMA.names if name != "thumbnails")
    connection.execute(
        f"""INSERT INTO samples (benchmark_key, block, {columns})
               SELECT benchmark_key, block, {columns} FROM incoming
               ORDER BY benchmark_key, position"""
    )
    connection.execute(
        """INSERT INTO thumbnails
               SELECT digest, first(data ORDER BY benchmark_key, position)
               FROM (SELECT unnest(images) AS digest, unnest(thumbnails) AS data, benchmark_key,
                            position
                     FROM incoming) AS shown ANTI JOIN thumbnails USING (digest)
               WHERE data IS NOT NULL
               GROUP BY digest ORDER BY min(benchmark_key), min(position), digest"""
    )
    connection.unregister("incoming")


def _insert_blocks(connection: duckdb.DuckDBPyConnection, blocks: list[Block]) -> None:
    _delete_blocks(connection, blocks)
    filled = [block for block in blocks if block.chunks]
    if not filled:
        return
    facts = {
        "run_key": [block.run_key for block in filled],
        "block": pa.array([block.index for block in filled], pa.int32()),
        "n_samples": [len(block.sample_ids) for block in filled],
        "draws": [block.draws for block in filled],
        "layers": [json.dumps(block.layers) for block in filled],
    }
    connection.register("incoming_blocks", pa.table(facts))
    connection.execute("INSERT OR REPLACE INTO blocks SELECT * FROM incoming_blocks")
    connection.unregister("incoming_blocks")
    tables = [
        _with_constants(chunk.table, run_key=block.run_key, block=block.index, rank=rank)
        for block in filled
        for rank, chunk in enumerate(block.chunks)
    ]
    swaps = [table for table in tables if "partner" in table.schema.names]
    tables = [
        table.drop_columns("partner") if "partner" in table.schema.names else table
        for table in tables
    ]
    connection.register("incoming_rows", pa.concat_tables(tables))
    source = "incoming_rows"
    if any(len(block.chunks) > 1 for block in filled):
        connection.execute(
            """CREATE OR REPLACE TEMP TABLE once AS SELECT * FROM incoming_rows QUALIFY row_number()
                   OVER (PARTITION BY run_key, block, sample_id, condition, draw, layer
                         ORDER BY rank) = 1"""
        )
        source = "once"
    connection.execute(
        f"""INSERT INTO predictions
                SELECT run_key, block, sample_id, condition, draw, layer, scores, strict_choice,
                       top_token FROM {source}
                ORDER BY run_key, layer, block, condition, sample_id, draw"""
    )
    connection.execute(
        f"""INSERT INTO features
                SELECT run_key, block, sample_id, text_tokens, image_tokens, features_1, features_2
                FROM {source}
                WHERE layer = {OUTPUT_LAYER}
                      AND coalesce(text_tokens, image_tokens, len(features_1), len(features_2))
                          IS NOT NULL
                ORDER BY run_key, block, sample_id"""
    )
    # Not from `once`: of two chunks with a row, the one that has its features may rank lower.
    connection.execute(
        f"""INSERT INTO layer_features
                SELECT run_key, block, sample_id, layer, features_1, features_2
                FROM incoming_rows
                WHERE layer != {OUTPUT_LAYER} AND features_1 IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY run_key, block, sample_id, layer
                                           ORDER BY rank) = 1
                ORDER BY run_key, layer, block, sample_id"""
    )
    connection.unregister("incoming_rows")
    if swaps:
        _insert_swaps(connection, swaps)


def _insert_swaps(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    connection.register("incoming_rows", pa.concat_tables(tables))
    connection.execute(
        """INSERT INTO swaps
               SELECT DISTINCT run_key, block, sample_id, draw, partner FROM incoming_rows
               WHERE partner IS NOT NULL ORDER BY run_key, block, sample_id, draw"""
    )
    connection.unregister("incoming_rows")


def _count_by_split(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Count again where a block's samples, or what is known of them, came or went."""
    held = [(block.run_key, block.index, one) for block in batch.blocks for one in block.sample_ids]
    gone = [(file.owner, file.block) for file, _ in batch.bad if file.kind is Kind.SAMPLES]
    told = [(chunk.benchmark_key, chunk.index) for chunk in batch.samples] + gone
    if not batch.blocks and not told:
        return
    connection.register("touched", _keys("run_key", [(b.run_key, b.index) for b in batch.blocks]))
    connection.register("told", _keys("benchmark_key", told))
    # Blocks that were there before their samples: their ids are read back, which is rare.
    late = connection.execute(
        """SELECT DISTINCT run_key, block, sample_id FROM predictions
           SEMI JOIN (SELECT run_key, block FROM blocks JOIN runs USING (run_key)
                      JOIN told USING (benchmark_key, block) ANTI JOIN touched
                           USING (run_key, block)) USING (run_key, block)"""
    ).fetchall() if told else []  # fmt: skip
    connection.register(
        "held",
        _keys("run_key", [row[:2] for row in (*held, *late)]).append_column(
            "sample_id", pa.array([row[2] for row in (*held, *late)], pa.string())
        ),
    )
    for changed in ("touched", "held"):
        connection.execute(
            f"""DELETE FROM covered
                WHERE (run_key, block) IN (SELECT run_key, block FROM {changed})"""
        )
    connection.execute(
        """INSERT INTO covered
               SELECT run_key, block, split, subset, count(*)
               FROM held JOIN runs USING (run_key)
               JOIN samples USING (benchmark_key, block, sample_id)
               GROUP BY ALL ORDER BY ALL"""
    )
    for name in ("touched", "told", "held"):
        connection.unregister(name)


def _keys(owner: str, pairs: Sequence[tuple[str, int | None]]) -> Table:
    """Return owners and blocks as a table."""
    return pa.table(
        {
            owner: pa.array([pair[0] for pair in pairs], pa.string()),
            "block": pa.array([pair[1] for pair in pairs], pa.int32()),
        }
    )


def _delete_blocks(connection: duckdb.DuckDBPyConnection, blocks: list[Block]) -> None:
    known = set(connection.execute("SELECT run_key, block FROM blocks").fetchall())
    old = [block for block in blocks if (block.run_key, block.index) in known]
    if not old:
        return
    keys = [[block.run_key for block in old], [block.index for block in old]]
    connection.register(
        "old_blocks",
        pa.table(
            [pa.array(keys[0], pa.string()), pa.array(keys[1], pa.int32())], schema=_BLOCK_KEYS
        ),
    )
    for table in ("predictions", "features", "layer_features", "swaps"):
        connection.execute(
            f"DELETE FROM {table} WHERE (run_key, block) IN (SELECT run_key, block FROM old_blocks)"
        )
    connection.unregister("old_blocks")
    for block in old:
        if not block.chunks:  # a filled one is replaced in place
            connection.execute(
                "DELETE FROM blocks WHERE run_key = ? AND block = ?", [block.run_key, block.index]
            )


def _insert_estimates(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    if not batch.estimates:
        return
    records = [record for record, _ in batch.estimates]
    names = ("estimate_key", "run_key", "model", "benchmark", "subset", "split", "layer",
             "estimator")  # fmt: skip
    columns = {name: [getattr(record, name) for record in records] for name in names}
    incoming = pa.table(columns | {"record": [record.to_json() for record in records]})
    connection.register("incoming", incoming)
    connection.execute("INSERT OR REPLACE INTO estimates SELECT * FROM incoming")
    connection.execute(
        "DELETE FROM pointwise WHERE estimate_key IN (SELECT estimate_key FROM incoming)"
    )
    connection.unregister("incoming")
    tables = [
        _with_constants(_padded(pointwise), estimate_key=record.estimate_key)
        for record, pointwise in batch.estimates
    ]
    connection.register("incoming", pa.concat_tables(tables))
    kept = ", ".join(["estimate_key", *WITH_INFLUENCES.names])
    connection.execute(f"INSERT INTO pointwise ({kept}) SELECT {kept} FROM incoming")
    connection.unregister("incoming")


def _padded(pointwise: Table) -> Table:
    """Give an older estimate the columns that it lacks, without values."""
    for name in INFLUENCES:
        if name not in pointwise.column_names:
            pointwise = pointwise.append_column(name, pa.nulls(len(pointwise), pa.float32()))
    return pointwise.select(WITH_INFLUENCES.names)


def _insert_ledger(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    if not batch.ledger:
        return
    files = [file for file, _ in batch.ledger]
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    ledger = pa.table(
        {
            "name": [file.name for file in files],
            "kind": [str(file.kind) for file in files],
            "owner": [file.owner for file in files],
            "block": pa.array([file.block for file in files], pa.int32()),
            "fingerprint": [file.fingerprint for file in files],
            "superseded_by": pa.array([cover for _, cover in batch.ledger], pa.string()),
            "ingested_at": pa.array([now] * len(files), pa.timestamp("us")),
        }
    )
    connection.register("incoming", ledger)
    connection.execute("INSERT OR REPLACE INTO files SELECT * FROM incoming")
    connection.unregister("incoming")


def _forget_bad(connection: duckdb.DuckDBPyConnection, files: list[SpoolFile]) -> None:
    # The rows of a bad prediction chunk go with its block, which is made anew.
    for file in files:
        connection.execute("DELETE FROM files WHERE name = ?", [file.name])
        if file.kind is Kind.SAMPLES:
            connection.execute(
                "DELETE FROM samples WHERE benchmark_key = ? AND block = ?",
                [file.owner, file.block],
            )
            _forget_thumbnails(connection)
        elif file.kind is Kind.ESTIMATE:
            for table in ("estimates", "pointwise"):
                connection.execute(f"DELETE FROM {table} WHERE estimate_key = ?", [file.path.stem])


def _forget_thumbnails(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove thumbnails that no sample shows any more."""
    connection.execute(
        """DELETE FROM thumbnails WHERE digest NOT IN
               (SELECT unnest(images) FROM samples)"""
    )


def _with_constants(table: Table, **constants: str | int) -> Table:
    """Append columns that have one value in all rows."""
    for name, value in constants.items():
        kind = pa.int32() if isinstance(value, int) else pa.string()
        table = table.append_column(name, pa.repeat(pa.scalar(value, kind), len(table)))
    return table
