"""What an estimate is at rest: one record of numbers and settings, and its pointwise rows."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from data_cache.arrow import UNREADABLE, Table, pa, parquet_bytes, parquet_file
from data_cache.atomic import write_atomically
from data_cache.errors import CacheError, ChunkInvalid
from data_cache.location import checked_key, estimates_directory
from data_cache.plan import (
    CHUNK_VERSION,
    INFLUENCE_VERSION,
    METADATA_KEY,
    chunk_metadata,
    read_failure,
)
from data_cache.runs import canonical_json, hash_text

INTERVENTIONAL = "interventional"
"""The estimator of swapped pairs, by name (docs/method.md, section 21)."""
ATOMS = ("redundancy", "unique_1", "unique_2", "synergy")
SCORES = ("synergy_ratio", "shortcut", "fusion_potential", "gap_score")
NUMBERS = (*ATOMS, *SCORES)
"""What an estimate knows about each sample: atoms in bits, then scores."""

POINTWISE_SCHEMA = pa.schema(
    [("sample_id", pa.string()), *((name, pa.float64()) for name in (*ATOMS, *SCORES))]
)
INFLUENCES = tuple(f"influence_{atom}" for atom in ATOMS)
"""What each sample adds to the atoms to first order, bits: differences between estimates over the
same samples need it. Older estimates lack it."""
WITH_INFLUENCES = pa.schema([*POINTWISE_SCHEMA, *((name, pa.float32()) for name in INFLUENCES)])


@dataclass(frozen=True, kw_only=True)
class SpectrumRecord:
    """One spectrum with everything that belongs on the screen beside it; atoms are in bits."""

    estimate_key: str
    """`estimate_key(...)` of run, subset, split, layer, estimator and settings."""
    run_key: str
    model: str
    family: str
    benchmark: str
    subset: str
    """A subset, or "all": the subsets pooled, averaged by group size."""
    split: str
    layer: int
    """-1 is the model's own output."""
    estimator: str
    n: int
    """Samples."""
    candidates: int
    """K, the largest number of options."""
    redundancy: float
    unique_1: float
    unique_2: float
    synergy: float
    total: float
    """I(Y; X1, X2), bits."""
    information_1: float
    """I(Y; X1) after the marginal policy, bits."""
    information_2: float
    """I(Y; X2) after the marginal policy, bits."""
    gap_bits: float
    """Upper minus lower bound of the solver: each atom is at most this far from the optimum."""
    interval: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """95 % interval of each atom by name, bits; where it was measured, of "total" and, as a
    fraction, of "<atom>_share" too."""
    accuracy: float
    """Strict first token, full condition, 0 to 1."""
    circular_accuracy: float | None = None
    """Share of the questions that are right, by strict first token, with their options in every
    order, 0 to 1; None where questions do not come so, or none of them is whole."""
    accuracy_forced: float
    """Best of the candidates, full condition, 0 to 1."""
    d_vision: float | None = None
    """Accuracy of FULL minus accuracy of NO_IMAGE; None where NO_IMAGE was not run."""
    mean_confidence: float
    calibration_error: float
    """Expected calibration error, 15 bins, 0 to 1."""
    accuracy_by_condition: dict[str, float] = field(default_factory=dict[str, float])
    fallback_rate: dict[str, float] = field(default_factory=dict[str, float])
    """Share of samples whose candidates had too little mass, per condition, 0 to 1."""
    noise_floor_bits: float | None = None
    """I(Y; NEITHER); None where NEITHER was not run."""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """What else the numbers depend on: tau, draws, seed, marginals, mask_scope, limit, ..."""
    diagnostics: dict[str, Any] = field(default_factory=dict[str, Any])
    warnings: tuple[str, ...] = ()
    created: str
    """ISO 8601, UTC."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return json.loads(self.to_json())

    def to_json(self) -> str:
        """Return the record as one JSON text, names sorted."""
        values = {name: getattr(self, name) for name in _names()}
        return json.dumps(values, sort_keys=True, ensure_ascii=False, default=_plain_number)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "SpectrumRecord":
        """Read a record back from `to_dict`.

        Raises
        ------
        CacheError
            If a field is missing, unknown or of another kind.
        """
        values = dict(content)
        if unknown := values.keys() - _names():
            raise CacheError(f"an estimate has the unknown fields {sorted(unknown)}")
        try:
            values["interval"] = {
                str(atom): (float(low), float(high))
                for atom, (low, high) in values.get("interval", {}).items()
            }
            values["warnings"] = tuple(map(str, values.get("warnings", ())))
            return SpectrumRecord(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise CacheError(f"an estimate's record cannot be read: {error}") from error


@cache
def _names() -> frozenset[str]:
    return frozenset(item.name for item in dataclasses.fields(SpectrumRecord))


def estimate_key(
    *,
    run_key: str,
    subset: str,
    split: str,
    layer: int,
    estimator: str,
    settings: Mapping[str, Any],
) -> str:
    """Return the 16 hexadecimal digits that name an estimate: the same question, the same key."""
    question = {
        "run_key": run_key,
        "subset": subset,
        "split": split,
        "layer": layer,
        "estimator": estimator,
        "settings": dict(settings),
    }
    return hash_text(canonical_json(question), 16)


def write_estimate(cache: Path, record: SpectrumRecord, pointwise: Table) -> Path:
    """Write an estimate to the spool; an earlier one with the same key is replaced.

    Parameters
    ----------
    cache
        The cache folder.
    record
        Its key decides the file's name.
    pointwise
        Columns of `POINTWISE_SCHEMA`, or of `WITH_INFLUENCES`; one row per sample, bits.

    Raises
    ------
    ChunkInvalid
        If the rows do not fit.
    CacheError
        If the disk is full.
    """
    where = f"estimate {record.estimate_key}"
    with_influences = bool(set(INFLUENCES) & set(pointwise.column_names))
    schema = WITH_INFLUENCES if with_influences else POINTWISE_SCHEMA
    try:
        table = pa.Table.from_arrays(
            [pointwise[name].combine_chunks() for name in schema.names], names=schema.names
        ).cast(schema)
    except (KeyError, pa.ArrowException) as error:
        raise ChunkInvalid(f"{where} has pointwise rows that do not fit: {error}") from error
    _check(table, where)
    name = f"{checked_key(record.estimate_key, 'estimate key')}.parquet"
    version = INFLUENCE_VERSION if with_influences else CHUNK_VERSION
    metadata = {"schema_version": version, "record": record.to_dict()}
    # A record may hold NaN (an undefined ratio), which canonical JSON refuses.
    text = json.dumps(metadata, sort_keys=True, ensure_ascii=False)
    content = parquet_bytes(table.sort_by("sample_id"), {METADATA_KEY: text})
    return write_atomically(estimates_directory(cache, record.run_key) / name, content)


def read_estimate(path: Path) -> tuple[SpectrumRecord, Table]:
    """Read and validate an estimate's file.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    run_key = path.parent.parent.name
    where = f"{run_key}/estimates/{path.name}"
    try:
        with parquet_file(path) as file:
            metadata = chunk_metadata(file.schema_arrow.metadata, where)
            table = file.read().replace_schema_metadata(None)
    except UNREADABLE as error:
        raise read_failure(error, where) from error
    if not isinstance(metadata.get("record"), dict):
        raise ChunkInvalid(f"{where} has no record")
    try:
        record = SpectrumRecord.from_dict(cast(dict[str, Any], metadata["record"]))
    except CacheError as error:
        raise ChunkInvalid(f"{where}: {error}") from error
    if record.run_key != run_key or record.estimate_key != path.stem:
        raise ChunkInvalid(f"{where} belongs to another run or key; was it moved or renamed?")
    if not any(table.schema.equals(known) for known in (POINTWISE_SCHEMA, WITH_INFLUENCES)):
        raise ChunkInvalid(f"{where} has other columns than pointwise rows")
    _check(table, where)
    return record, table


def _check(table: Table, where: str) -> None:
    if table["sample_id"].null_count or len(table["sample_id"].unique()) < len(table):
        raise ChunkInvalid(f"{where} has a sample twice or without an id")
    for name in (*ATOMS, *(name for name in INFLUENCES if name in table.column_names)):
        if not np.isfinite(np.asarray(table[name], dtype=np.float64)).all():
            raise ChunkInvalid(f"{where} has pointwise {name} that are not finite numbers")


def _plain_number(value: object) -> Any:
    if isinstance(value, np.generic):
        return cast(Any, value).item()
    raise TypeError(f"{value!r} is not plain JSON")
