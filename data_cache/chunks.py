"""How predictions are put on disk and found again: immutable, deterministic Parquet chunks."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.arrow import UNREADABLE, Table, pa, parquet_bytes, parquet_file, pc, pq
from data_cache.atomic import write_atomically
from data_cache.conditions import Condition
from data_cache.errors import CacheError, ChunkInvalid, SchemaTooNew
from data_cache.plan import (
    BLOCK_SIZE,
    CHUNK_NAME,
    CHUNK_VERSION,
    OUTPUT_LAYER,
    ChunkPlan,
    block_of,
    largest_first,
    read_failure,
)
from data_cache.validation import CHUNK_SCHEMA, REQUIRED, check_rows, columns_of

__all__ = [
    "BLOCK_SIZE",
    "CHUNK_SCHEMA",
    "CHUNK_VERSION",
    "OUTPUT_LAYER",
    "Chunk",
    "ChunkPlan",
    "block_of",
    "covering_chunk",
    "read_chunk",
    "read_plan",
    "validate_chunk",
    "write_chunk",
]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A chunk that has been read and found valid."""

    path: Path
    plan: ChunkPlan
    table: Table
    """Columns of `CHUNK_SCHEMA`, and of a run of swaps `partner`."""


def write_chunk(run_directory: Path, plan: ChunkPlan, rows: Table) -> Path:
    """Validate and write one chunk; when this returns, a crash cannot lose it.

    Parameters
    ----------
    run_directory
        `location.run_directory(cache, plan.run_key)`.
    plan
        What the chunk holds; it decides the file's name.
    rows
        Columns of `CHUNK_SCHEMA`, with swaps also `partner`, in any order and of castable types;
        `text_tokens`, `image_tokens` and the features may be absent. Rows in any order: the same
        rows give the same bytes.

    Raises
    ------
    ChunkInvalid
        If the rows break a rule; nothing is written.
    CacheError
        If the disk is full or the folder is not that of the run; nothing is left behind.
    """
    if run_directory.name != plan.run_key:
        raise CacheError(f"{run_directory} is not the folder of run {plan.run_key}")
    table = _sorted_rows(_as_schema(rows, columns_of(plan), plan.name))
    check_rows(table, plan, plan.name)
    return write_atomically(run_directory / plan.name, parquet_bytes(table, plan.to_metadata()))


def covering_chunk(
    run_directory: Path,
    index: int,
    sample_ids: Collection[str],
    draws: int,
    layers: Iterable[int],
    conditions: Iterable[Condition] | None = None,
) -> Path | None:
    """Return a chunk that already has these rows, or None: the test for resuming a run.

    Only names and footers are read. A file whose footer cannot be read covers nothing.

    Parameters
    ----------
    run_directory
        The run's folder; it need not exist.
    index
        The block.
    sample_ids, draws, layers
        What is needed of it.
    conditions
        Which conditions are needed; None accepts any.
    """
    covering: dict[ChunkPlan, Path] = {}
    for path in sorted(run_directory.glob(f"{index:05d}-*.parquet")):
        try:
            plan = read_plan(path)
        except (ChunkInvalid, SchemaTooNew):
            continue
        needed = ChunkPlan(
            run_key=run_directory.name,
            index=index,
            sample_ids=tuple(sample_ids),
            draws=draws,
            layers=tuple(layers),
            conditions=plan.conditions if conditions is None else tuple(conditions),
        )
        if plan.covers(needed):
            covering[plan] = path
    return covering[largest_first(covering)[0]] if covering else None


def read_plan(path: Path) -> ChunkPlan:
    """Read what a chunk holds from its footer, and check that its name and folder agree.

    Raises
    ------
    ChunkInvalid
        If the file is no chunk, or is not where its content belongs.
    SchemaTooNew
        If a newer PIDscope wrote it.
    CacheError
        If the operating system refuses to read it.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        metadata = pq.read_metadata(path).metadata
    except UNREADABLE as error:
        raise read_failure(error, where) from error
    return _plan_of(path, metadata, where)


def _plan_of(path: Path, metadata: dict[bytes, bytes] | None, where: str) -> ChunkPlan:
    plan = ChunkPlan.from_metadata(metadata, where)
    if not CHUNK_NAME.fullmatch(path.name) or plan.name != path.name:
        raise ChunkInvalid(f"{where} holds what belongs in {plan.name}; was it renamed?")
    if plan.run_key != path.parent.name:
        raise ChunkInvalid(f"{where} belongs to run {plan.run_key}; was it moved?")
    return plan


def read_chunk(path: Path) -> Chunk:
    """Read and validate a chunk.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        with parquet_file(path) as file:
            plan = _plan_of(path, file.metadata.metadata, where)
            # A chunk is small: handing its columns to other threads takes longer than reading them.
            table = file.read(use_threads=False).replace_schema_metadata(None)
        table.validate(full=True)
    except UNREADABLE as error:
        raise read_failure(error, where) from error
    check_rows(table, plan, where)
    return Chunk(path=path, plan=plan, table=table)


def validate_chunk(path: Path, *, expected_ids: Collection[str] | None = None) -> None:
    """Check a chunk: readable, complete, finite, no repeated key, a mass of 1 at most.

    Parameters
    ----------
    path
        The chunk in its run's folder.
    expected_ids
        The samples that must be in it, no more and no fewer; None trusts its own metadata.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    chunk = read_chunk(path)
    if expected_ids is not None and set(expected_ids) != set(chunk.plan.sample_ids):
        different = sorted(set(expected_ids) ^ set(chunk.plan.sample_ids))
        raise ChunkInvalid(
            f"{path.name} differs from the expected samples in {len(different)} ids, "
            f"first {different[0]!r}"
        )


def _as_schema(rows: Table, schema: Any, where: str) -> Table:
    missing = [name for name in REQUIRED if name not in rows.schema.names]
    unknown = [name for name in rows.schema.names if name not in schema.names]
    if missing or unknown:
        raise ChunkInvalid(f"{where} misses the columns {missing} and has the unknown {unknown}")
    columns = [
        rows[field.name].combine_chunks()
        if field.name in rows.schema.names
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    try:
        return pa.Table.from_arrays(columns, names=schema.names).cast(schema)
    except pa.ArrowException as error:
        raise ChunkInvalid(f"{where} has a column of the wrong type: {error}") from error


def _sorted_rows(table: Table) -> Table:
    order = pa.table(
        {
            "sample_id": table["sample_id"],
            "layer": table["layer"],
            "condition": pc.index_in(
                table["condition"], value_set=pa.array([str(c) for c in Condition])
            ),
            "draw": table["draw"],
        }
    )
    keys = [(name, "ascending") for name in order.schema.names]
    return table.take(pc.sort_indices(order, sort_keys=keys))
