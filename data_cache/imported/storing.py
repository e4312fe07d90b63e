"""How imported answers are put on disk: as the chunks that a runner would write."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_cache.conditions import Condition
from data_cache.imported.answers import Answer, Layout
from data_cache.imported.matching import Matched
from data_cache.imported.probabilities import scores_of
from data_cache.location import run_directory
from data_cache.plan import BLOCK_SIZE, OUTPUT_LAYER, ChunkPlan
from data_cache.samples import Sample


def write_predictions(
    cache: Path, key: str, matched: Matched, layout: Layout, *, features: bool
) -> None:
    """Write samples and predictions, block by block.

    Parameters
    ----------
    cache
        The cache folder; the run's sidecar is there.
    key
        The run's key.
    matched
        Answers with their samples.
    layout
        Which conditions they have.
    features
        Whether embeddings are kept; every answer then has both.

    Raises
    ------
    CacheError
        If the disk is full.
    """
    from data_cache.chunks import write_chunk
    from data_cache.sample_chunks import write_samples

    blocks: dict[int, list[Sample]] = {}
    for position, sample in enumerate(matched.benchmark.samples):
        if sample.id in matched.answers:
            blocks.setdefault(position // BLOCK_SIZE, []).append(sample)
    for index, samples in blocks.items():
        plan = ChunkPlan(
            run_key=key,
            index=index,
            sample_ids=tuple(sample.id for sample in samples),
            conditions=tuple(layout.scales),
        )
        write_samples(cache, matched.benchmark, [index * BLOCK_SIZE])
        rows = [
            _prediction(sample.id, condition, matched.answers[sample.id], features)
            for sample in samples
            for condition in layout.scales
        ]
        write_chunk(run_directory(cache, key), plan, _table(rows))


def _prediction(
    sample_id: str, condition: Condition, answer: Answer, features: bool
) -> dict[str, Any]:
    own = features and condition is Condition.FULL
    return {
        "sample_id": sample_id,
        "condition": str(condition),
        "draw": 0,
        "layer": OUTPUT_LAYER,
        "scores": scores_of(answer.probabilities[condition]).astype(np.float32),
        "strict_choice": answer.choices[condition],
        "top_token": -1,  # words of other models' vocabularies mean nothing here
        "features_1": answer.features_1 if own else None,
        "features_2": answer.features_2 if own else None,
    }


def _table(rows: Sequence[Mapping[str, Any]]) -> Any:
    from data_cache.arrow import pa
    from data_cache.validation import CHUNK_SCHEMA

    names = list(rows[0])
    schema = pa.schema([CHUNK_SCHEMA.field(name) for name in names])
    return pa.table({name: [row[name] for row in rows] for name in names}, schema=schema)
