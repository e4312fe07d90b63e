"""How much of each benchmark each run covers: samples by split, spectra, layers; one query.

The predictions are not read: `blocks`, `covered` and `samples` say it in a thousandth of the rows.
"""

from dataclasses import dataclass
from pathlib import Path

from data_cache.errors import CacheMissing
from data_cache.plan import OUTPUT_LAYER
from data_cache.samples import SPLITS, Split
from data_cache.store import reader


@dataclass(frozen=True, kw_only=True)
class RunCoverage:
    """What the cache holds of one run."""

    run_key: str
    samples: int
    """Samples with predictions."""
    by_split: dict[Split, int]
    """The same by split; of samples whose texts are not stored the split is not known."""
    known: dict[Split, int]
    """Samples of its benchmark whose texts are stored, by split: the benchmark has no fewer."""
    spectra: int
    """Estimates of the model's own output."""
    layers_with_spectra: int
    """Inner layers that have estimates."""


def coverage(cache: Path) -> dict[str, RunCoverage]:
    """Return the coverage of every run by its key; none where there is no database.

    Raises
    ------
    CacheBusy
        If a writer held the database.
    """
    try:
        with reader(cache) as connection:
            rows = connection.execute(
                f"""WITH held AS (SELECT run_key, sum(n_samples) AS n FROM blocks GROUP BY run_key),
                         parts AS (SELECT run_key,
                                          sum(n_samples) FILTER (split = 'train') AS train,
                                          sum(n_samples) FILTER (split = 'test') AS test
                                   FROM covered GROUP BY run_key),
                         known AS (SELECT benchmark_key,
                                          count(*) FILTER (split = 'train') AS known_train,
                                          count(*) FILTER (split = 'test') AS known_test
                                   FROM samples GROUP BY benchmark_key),
                         made AS (SELECT run_key,
                                         count(*) FILTER (layer = {OUTPUT_LAYER}) AS spectra,
                                         count(DISTINCT layer) FILTER (layer != {OUTPUT_LAYER})
                                             AS layers
                                  FROM estimates GROUP BY run_key)
                    SELECT run_key, coalesce(held.n, 0), coalesce(train, 0), coalesce(test, 0),
                           coalesce(known_train, 0), coalesce(known_test, 0),
                           coalesce(spectra, 0), coalesce(layers, 0)
                    FROM runs LEFT JOIN held USING (run_key) LEFT JOIN parts USING (run_key)
                              LEFT JOIN known USING (benchmark_key) LEFT JOIN made USING (run_key)
                    ORDER BY run_key"""
            ).fetchall()
    except CacheMissing:
        return {}
    return {
        row[0]: RunCoverage(
            run_key=row[0],
            samples=int(row[1]),
            by_split=dict(zip(SPLITS, map(int, row[2:4]), strict=True)),
            known=dict(zip(SPLITS, map(int, row[4:6]), strict=True)),
            spectra=int(row[6]),
            layers_with_spectra=int(row[7]),
        )
        for row in rows
    }
