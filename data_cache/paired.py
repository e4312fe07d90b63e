"""Two estimates row by row over the samples in common: what intervals of differences need."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from data_cache.common_samples import common, estimates_of, sizes_of
from data_cache.records import ATOMS, INFLUENCES
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two estimates, of the models A and B, on one benchmark."""

    a: str
    """Estimate key."""
    b: str


@dataclass(frozen=True, kw_only=True)
class PairedRows:
    """The pointwise atoms of both estimates, row by row the same sample."""

    group_ids: NDArray[np.str_]
    """(N,)"""
    atoms_a: NDArray[np.float64]
    """(N, 4) bits, columns as in `records.ATOMS`."""
    atoms_b: NDArray[np.float64]
    is_whole: bool
    """Whether these are all samples of both estimates."""
    influences_a: NDArray[np.float64] | None = None
    """(N, 4) bits: what each sample adds to the atoms to first order; None where not stored."""
    influences_b: NDArray[np.float64] | None = None
    right_a: NDArray[np.float64] | None = None
    """(N, 2): 1 where the answer is right, with the image and without; NaN where it was not run.
    None where it was not asked for."""
    right_b: NDArray[np.float64] | None = None


def paired_rows(cache: Path, pair: Pair, *, answers: bool = False) -> PairedRows:
    """Return the pointwise atoms of both estimates on the samples that they have in common.

    Parameters
    ----------
    cache
        The cache folder.
    pair
        The two.
    answers
        Whether to say which answers are right, too; that reads the largest table.

    Raises
    ------
    CacheError
        If one of the estimates is not there.
    """
    with reader(cache) as connection:
        estimates = estimates_of(connection, (pair.a, pair.b), cache)
        sizes = sizes_of(connection, estimates)
        start, bound = common(estimates, [*ATOMS, *INFLUENCES])
        wanted = [f"{name}_{side}" for side in (0, 1) for name in (*ATOMS, *INFLUENCES)]
        joins = ""
        if answers:
            for side, estimate in enumerate(estimates):
                bound[f"run_{side}"] = estimate.run_key
                for name in ("full", "no_image"):
                    joins += _ANSWERED.format(side=side, name=name)
                    wanted.append(
                        f"({name}_{side}.strict_choice = common.answer)::DOUBLE AS {name}_{side}"
                    )
        columns = cast(
            "dict[str, NDArray[Any]]",
            connection.execute(
                f"{start} SELECT group_id, {', '.join(wanted)} FROM common {joins} "
                "ORDER BY position",
                bound,
            ).fetchnumpy(),
        )

    def of(names: Sequence[str], side: int) -> NDArray[np.float64]:
        found = [
            np.ma.filled(columns[f"{name}_{side}"].astype(np.float64), np.nan) for name in names
        ]
        return np.column_stack(found)

    influences = [of(INFLUENCES, side) for side in (0, 1)]
    count = len(columns["group_id"])
    return PairedRows(
        group_ids=np.asarray(columns["group_id"], dtype=np.str_),
        atoms_a=of(ATOMS, 0),
        atoms_b=of(ATOMS, 1),
        influences_a=None if np.isnan(influences[0]).any() else influences[0],
        influences_b=None if np.isnan(influences[1]).any() else influences[1],
        is_whole=all(size == count for size in sizes),
        right_a=of(("full", "no_image"), 0) if answers else None,
        right_b=of(("full", "no_image"), 1) if answers else None,
    )


_ANSWERED = """
    LEFT JOIN predictions AS {name}_{side} ON {name}_{side}.run_key = $run_{side}
         AND {name}_{side}.sample_id = common.sample_id AND {name}_{side}.layer = -1
         AND {name}_{side}.condition = '{name}' AND {name}_{side}.draw = 0"""
