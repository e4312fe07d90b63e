"""Which rules the rows of a prediction chunk obey, and which row breaks one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_cache.arrow import Table, pa, pc
from data_cache.conditions import Condition
from data_cache.errors import ChunkInvalid
from data_cache.plan import OUTPUT_LAYER, ChunkPlan

CHUNK_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("condition", pa.string()),
        ("draw", pa.int16()),
        ("layer", pa.int16()),
        ("scores", pa.list_(pa.float32())),
        ("strict_choice", pa.int16()),
        ("top_token", pa.int32()),
        ("text_tokens", pa.int32()),
        ("image_tokens", pa.int32()),
        ("features_1", pa.list_(pa.float32())),
        ("features_2", pa.list_(pa.float32())),
    ]
)
SWAP_SCHEMA = CHUNK_SCHEMA.append(pa.field("partner", pa.string()))
"""Of a chunk with swaps: `partner` is the sample whose source 2 was shown, empty in other rows."""
FEATURES = ("features_1", "features_2")
"""Columns that the row (full, draw 0) of each layer fills where the plan has features of layers."""
PER_SAMPLE = ("text_tokens", "image_tokens", *FEATURES)
"""Columns that else only the row (full, draw 0, layer -1) of a sample may fill."""
REQUIRED = tuple(name for name in CHUNK_SCHEMA.names if name not in PER_SAMPLE)

SCORE_TOLERANCE = 1e-5
"""A log-likelihood may exceed 0 by rounding in float32."""
MASS_TOLERANCE = 1e-3


def columns_of(plan: ChunkPlan) -> Any:
    """Return the schema of a chunk of the plan, an Arrow one."""
    return SWAP_SCHEMA if plan.has_partners else CHUNK_SCHEMA


def check_rows(table: Table, plan: ChunkPlan, where: str) -> None:
    """Check the rows of a chunk against its plan.

    Parameters
    ----------
    table
        Rows with the columns and types of `columns_of(plan)`.
    plan
        Which samples, layers, conditions and draws must be there, each once.
    where
        How messages name the chunk.

    Raises
    ------
    ChunkInvalid
        At the first rule that is broken.
    """
    if not table.schema.remove_metadata().equals(columns_of(plan)):
        raise ChunkInvalid(
            f"{where} has other columns than a prediction chunk: {table.schema.names}"
        )
    if len(table) != plan.rows:
        raise ChunkInvalid(f"{where} has {len(table)} rows, its plan asks for {plan.rows}")
    for name in REQUIRED:
        if table[name].null_count:
            raise ChunkInvalid(f"{where} has {table[name].null_count} empty values in {name}")
    _check_keys(table, plan, where)
    lengths = _check_scores(table, plan, where)
    _refuse(
        table,
        (_numbers(table["strict_choice"]) < -1) | (_numbers(table["strict_choice"]) >= lengths),
        where,
        "a strict choice outside its candidates",
    )
    _check_per_sample_columns(table, plan, where)
    if plan.has_partners:
        _check_partners(table, where)


def _check_keys(table: Table, plan: ChunkPlan, where: str) -> None:
    samples = _positions(table["sample_id"], list(plan.sample_ids))
    conditions = _positions(table["condition"], [str(c) for c in plan.conditions])
    layers = _positions(table["layer"], list(plan.layers))
    draws = _numbers(table["draw"])
    _refuse(table, samples < 0, where, "a sample that its plan does not name")
    _refuse(table, conditions < 0, where, "a condition that its plan does not name")
    _refuse(table, layers < 0, where, "a layer that its plan does not name")
    allowed = np.array([plan.draws_of(condition) for condition in plan.conditions])
    _refuse(table, (draws < 0) | (draws >= allowed[conditions]), where, "a draw outside its plan")
    key = np.ravel_multi_index(
        (samples, conditions, layers, draws),
        (len(plan.sample_ids), len(plan.conditions), len(plan.layers), plan.draws),
    )
    # The number of rows is right, so that no repetition also means that none is missing.
    _, first = np.unique(key, return_index=True)
    repeated = np.ones(len(key), dtype=bool)
    repeated[first] = False
    _refuse(table, repeated, where, "the key of an earlier row")


def _check_scores(table: Table, plan: ChunkPlan, where: str) -> NDArray[np.int64]:
    scores = table["scores"].combine_chunks()
    lengths = _numbers(pc.list_value_length(scores))
    _refuse(table, lengths < 2, where, "fewer than two candidates")
    values = scores.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    finite = np.logical_and.reduceat(np.isfinite(values), starts)
    _refuse(table, ~finite, where, "a score that is not a finite number")
    highest = np.maximum.reduceat(values, starts)
    _refuse(table, highest > SCORE_TOLERANCE, where, "a log-likelihood above 0")
    if plan.single_token:
        mass = np.add.reduceat(np.exp(values), starts)
        _refuse(
            table, mass > 1 + MASS_TOLERANCE, where, "candidates with a probability above 1 in all"
        )
    samples = _positions(table["sample_id"], list(plan.sample_ids))
    per_sample = np.zeros(len(plan.sample_ids), dtype=np.int64)
    per_sample[samples] = lengths
    _refuse(
        table, lengths != per_sample[samples], where, "another number of candidates than before"
    )
    return lengths


def _check_per_sample_columns(table: Table, plan: ChunkPlan, where: str) -> None:
    unmasked = (_positions(table["condition"], [str(Condition.FULL)]) == 0) & (
        _numbers(table["draw"]) == 0
    )
    own = unmasked & (_numbers(table["layer"]) == OUTPUT_LAYER)
    inner = unmasked & ~own
    for name in PER_SAMPLE:
        filled = np.asarray(pc.is_valid(table[name]), dtype=bool)
        by_layer = plan.layer_features and name in FEATURES
        _refuse(
            table,
            filled & ~(unmasked if by_layer else own),
            where,
            f"{name}, which belongs to the full {'run' if by_layer else 'output'} only",
        )
        if by_layer:
            _refuse(table, inner & ~filled, where, f"no {name}, which its plan promises")
    for name in FEATURES:
        # The input's embeddings and the layers' states are checked apart: widths may differ.
        for rows in (own, inner):
            if rows.any():
                _check_vectors(table[name].filter(pa.array(rows)), name, where)


def _check_partners(table: Table, where: str) -> None:
    swapped = _positions(table["condition"], [str(Condition.SWAP)]) == 0
    named = np.asarray(pc.is_valid(table["partner"]), dtype=bool)
    _refuse(table, swapped & ~named, where, "a swap without its partner")
    _refuse(table, named & ~swapped, where, "a partner, which belongs to a swap only")
    own = np.asarray(
        pc.fill_null(pc.equal(table["partner"], table["sample_id"]), False), dtype=bool
    )
    _refuse(table, own, where, "itself as its partner")


def _check_vectors(column: Any, name: str, where: str) -> None:
    filled = column.combine_chunks().drop_null()
    if len(filled) == 0:
        return
    if len(set(pc.list_value_length(filled).to_pylist())) > 1:
        raise ChunkInvalid(f"{where} has {name} of different lengths")
    if not np.isfinite(filled.flatten().to_numpy(zero_copy_only=False)).all():
        raise ChunkInvalid(f"{where} has {name} that are not finite numbers")


def _numbers(column: Any) -> NDArray[np.int64]:
    return np.asarray(column, dtype=np.int64)


def _positions(column: Any, values: list[str] | list[int]) -> NDArray[np.int64]:
    found = pc.index_in(column, value_set=pa.array(values, type=column.type))
    return _numbers(pc.fill_null(found, -1))


def _refuse(table: Table, broken: NDArray[np.bool_], where: str, what: str) -> None:
    rows = np.flatnonzero(broken)
    if len(rows) == 0:
        return
    row = int(rows[0])
    key = {name: table[name][row].as_py() for name in ("sample_id", "condition", "draw", "layer")}
    raise ChunkInvalid(f"{where} has {what} in row {row} ({len(rows)} such rows): {key}")
