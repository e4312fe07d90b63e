"""What each sample adds to the atoms of every layer: trajectories are redrawn from these rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_cache.records import INFLUENCES
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class LayerRows:
    """The samples that all of some estimates have, and their influences on each."""

    group_ids: NDArray[np.str_]
    """(N,)"""
    influences: NDArray[np.float32]
    """(N, L, 4) bits; layers in the order of the estimates, columns as in `records.ATOMS`."""


def layer_rows(cache: Path, estimate_keys: Sequence[str]) -> LayerRows | None:
    """Return the influences of the samples that all of the estimates have.

    Parameters
    ----------
    cache
        The cache folder.
    estimate_keys
        One estimate per layer, all of one run and subset.

    Returns
    -------
    None where no sample is in all of them, or where an estimate has no influences: it is from
    before they were stored.
    """
    keys = list(estimate_keys)
    names = f"[{', '.join(INFLUENCES)}]"
    with reader(cache) as connection:
        found = connection.execute(
            f"""WITH held AS (
                    SELECT sample_id, estimate_key, {names} AS added
                    FROM pointwise WHERE list_contains($keys::VARCHAR[], estimate_key)
                ), whole AS (
                    SELECT sample_id,
                           list(added ORDER BY list_position($keys::VARCHAR[], estimate_key))
                               AS added
                    FROM held GROUP BY sample_id HAVING count(*) = len($keys::VARCHAR[])
                )
                SELECT samples.group_id, whole.added
                FROM whole JOIN estimates ON estimates.estimate_key = $keys[1]
                JOIN runs USING (run_key)
                JOIN samples ON samples.benchmark_key = runs.benchmark_key
                     AND samples.sample_id = whole.sample_id
                ORDER BY samples.position, whole.sample_id""",
            {"keys": keys},
        ).fetchall()
    if not found:
        return None
    influences = np.array([row[1] for row in found], dtype=np.float32)
    if np.isnan(influences).any():
        return None
    return LayerRows(
        group_ids=np.array([row[0] for row in found], dtype=np.str_), influences=influences
    )
