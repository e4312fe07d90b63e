"""What patching did to each sample's answers, as arrays; and what each sample adds to the atoms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_cache.arrow import Table, pa, pc
from data_cache.conditions import Condition
from data_cache.patch_effects import UNPATCHED, patch_files, read_patches
from data_cache.plan import ChunkPlan
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class PatchScores:
    """Candidate scores of N samples under each patch; natural-log likelihoods, before tau."""

    sample_ids: tuple[str, ...]
    layers: tuple[int, ...]
    """Patched layers, rising."""
    full: NDArray[np.float32]
    """(N, K)"""
    masked: NDArray[np.float32]
    """(N, D, K): the image is noise, nothing is patched."""
    patched: NDArray[np.float32]
    """(N, L, D, K); nan in layers at which a sample was not patched."""
    valid: NDArray[np.bool_]
    """(N, K): the candidates that a sample has; scores of others are -inf."""

    @property
    def draws(self) -> int:
        """Draws of noise that all samples have."""
        return self.masked.shape[1]

    def chosen(self, sample_ids: Sequence[str]) -> "PatchScores | None":
        """Return those of the samples that are here, in the order given; None where none is."""
        place = {one: row for row, one in enumerate(self.sample_ids)}
        rows = [place[one] for one in sample_ids if one in place]
        if not rows:
            return None
        return PatchScores(
            sample_ids=tuple(self.sample_ids[row] for row in rows),
            layers=self.layers,
            full=self.full[rows],
            masked=self.masked[rows],
            patched=self.patched[rows],
            valid=self.valid[rows],
        )


def patch_scores(cache: Path, run_key: str) -> PatchScores | None:
    """Return everything that was patched of a run; None where nothing was.

    Raises
    ------
    CacheError
        If a file cannot be read.
    """
    tables: list[Table] = []
    known: set[str] = set()
    plans: list[ChunkPlan] = []
    for path, plan in patch_files(cache, run_key):
        new = set(plan.sample_ids) - known
        if not new:
            continue
        table = read_patches(path)
        if len(new) < len(plan.sample_ids):
            table = table.filter(pa.array([one in new for one in table["sample_id"].to_pylist()]))
        tables.append(table)
        plans.append(plan)
        known |= new
    if not tables:
        return None
    return _arrays(pa.concat_tables(tables), draws=min(plan.draws for plan in plans))


@dataclass(frozen=True, kw_only=True)
class PointwiseAtoms:
    """What each sample adds to an estimate, in bits."""

    sample_ids: tuple[str, ...]
    group_ids: NDArray[np.str_]
    """(N,)"""
    synergy: NDArray[np.float64]
    """(N,)"""
    unique_1: NDArray[np.float64]
    """(N,)"""


def pointwise_atoms(cache: Path, estimate_key: str) -> PointwiseAtoms:
    """Return the samples of an estimate in the benchmark's order, with their groups and atoms.

    A sample whose group is unknown is its own.
    """
    with reader(cache) as connection:
        rows = connection.execute(
            """SELECT pointwise.sample_id, coalesce(samples.group_id, pointwise.sample_id),
                      pointwise.synergy, pointwise.unique_1
               FROM pointwise JOIN estimates USING (estimate_key) JOIN runs USING (run_key)
               LEFT JOIN samples ON samples.benchmark_key = runs.benchmark_key
                    AND samples.sample_id = pointwise.sample_id
               WHERE estimate_key = ?
               ORDER BY samples.position, pointwise.sample_id""",
            [estimate_key],
        ).fetchall()
    return PointwiseAtoms(
        sample_ids=tuple(row[0] for row in rows),
        group_ids=np.array([row[1] for row in rows], dtype=np.str_),
        synergy=np.array([row[2] for row in rows], dtype=np.float64),
        unique_1=np.array([row[3] for row in rows], dtype=np.float64),
    )


def _arrays(table: Table, *, draws: int) -> PatchScores:
    table = table.combine_chunks()
    named = table["sample_id"].combine_chunks().dictionary_encode()
    order = np.argsort(np.array(named.dictionary.to_pylist(), dtype=object), kind="stable")
    ids: list[str] = [named.dictionary[int(place)].as_py() for place in order]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows = place[named.indices.to_numpy()]
    scores = table["scores"].combine_chunks()
    lengths = np.asarray(scores.value_lengths().to_numpy(zero_copy_only=False), dtype=np.int64)
    width = int(lengths.max())
    values = np.full((len(table), width), -np.inf, dtype=np.float32)
    held = np.arange(width)[None, :] < lengths[:, None]
    values[held] = scores.flatten().to_numpy(zero_copy_only=False)
    layer = np.asarray(table["layer"].to_numpy(), dtype=np.int64)
    draw = np.asarray(table["draw"].to_numpy(), dtype=np.int64)
    is_full = pc.equal(table["condition"], str(Condition.FULL)).to_numpy(zero_copy_only=False)
    numbers = sorted({int(one) for one in layer} - {UNPATCHED})
    at = np.full(max(numbers) + 2, -1)
    at[numbers] = np.arange(len(numbers))
    full = np.full((len(ids), width), -np.inf, dtype=np.float32)
    masked = np.full((len(ids), draws, width), -np.inf, dtype=np.float32)
    patched = np.full((len(ids), len(numbers), draws, width), np.nan, dtype=np.float32)
    valid = np.zeros((len(ids), width), dtype=np.bool_)
    full[rows[is_full]] = values[is_full]
    valid[rows[is_full]] = held[is_full]
    plain = ~is_full & (layer == UNPATCHED) & (draw < draws)
    masked[rows[plain], draw[plain]] = values[plain]
    there = ~is_full & (layer != UNPATCHED) & (draw < draws)
    patched[rows[there], at[layer[there]], draw[there]] = values[there]
    return PatchScores(
        sample_ids=tuple(ids),
        layers=tuple(numbers),
        full=full,
        masked=masked,
        patched=patched,
        valid=valid,
    )
