"""Which blocks of a benchmark a run touches, what each lacks, and how results become a chunk."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.conditions import PROBED, Condition
from data_cache.plan import BLOCK_SIZE, ChunkPlan
from data_cache.samples import Benchmark, Sample
from model_runners.inference import OWN_LAYER, BatchResult, Row

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fixed run of positions of a benchmark's order, and what is wanted of it."""

    index: int
    members: tuple[Sample, ...]
    """All samples of the block."""
    wanted: tuple[Sample, ...]
    """Those that the run asks for."""

    def named(self, sample_ids: Iterable[str]) -> list[Sample]:
        """Return the members with the given ids, in the block's order."""
        ids = set(sample_ids)
        return [sample for sample in self.members if sample.id in ids]


def blocks(benchmark: Benchmark, wanted: Sequence[Sample]) -> Iterator[Block]:
    """Yield the blocks that hold wanted samples, in order."""
    ids = {sample.id for sample in wanted}
    for index in range(0, (len(benchmark.samples) - 1) // BLOCK_SIZE + 1):
        members = benchmark.samples[index * BLOCK_SIZE : (index + 1) * BLOCK_SIZE]
        chosen = tuple(sample for sample in members if sample.id in ids)
        if chosen:
            yield Block(index=index, members=members, wanted=chosen)


def untouched(folder: Path, following: Sequence[Block]) -> tuple[Sample, ...]:
    """Return what is wanted of blocks that have no chunk in a run's folder yet."""
    return tuple(
        sample
        for block in following
        if next(folder.glob(f"{block.index:05d}-*.parquet"), None) is None
        for sample in block.wanted
    )


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What a block lacks, and what of the new chunk can be copied from old ones."""

    plan: ChunkPlan
    """The chunk to write: what is wanted and what was there already."""
    compute: tuple[str, ...]
    """Samples to run."""
    kept: tuple[Any, ...]
    """Arrow tables with the rows of all other samples of the plan."""

    def without(self, bad: Collection[str]) -> "Missing | None":
        """Return the chunk without samples that could not be run; None where nothing is new."""
        compute = tuple(one for one in self.compute if one not in bad)
        if not compute:
            return None
        dropped = {*self.compute} - {*compute}
        left = tuple(one for one in self.plan.sample_ids if one not in dropped)
        return replace(self, plan=replace(self.plan, sample_ids=left), compute=compute)


def missing(
    folder: Path,
    run_key: str,
    block: Block,
    *,
    draws: int,
    layers: Sequence[int],
    layer_features: bool = False,
    single_token: bool = True,
    conditions: tuple[Condition, ...] = PROBED,
) -> Missing | None:
    """Return what to compute for a block, or None where a chunk on disk already has it.

    Where a chunk has other samples, draws, layers or features of layers, the new chunk holds both,
    so that nothing that was paid for is lost when it supersedes the old one; samples that a chunk
    has with all draws, layers and features are copied.
    """
    from data_cache.chunks import read_plan
    from data_cache.errors import ChunkInvalid, SchemaTooNew

    plan = ChunkPlan(
        run_key=run_key,
        index=block.index,
        sample_ids=tuple(sample.id for sample in block.wanted),
        draws=draws,
        layers=tuple(layers),
        layer_features=layer_features,
        single_token=single_token,
        conditions=conditions,
    )
    stored: list[tuple[Path, ChunkPlan]] = []
    for path in sorted(folder.glob(f"{block.index:05d}-*.parquet")):
        try:
            there = read_plan(path)
        except (ChunkInvalid, SchemaTooNew):
            continue  # ingest quarantines and names it; the block is computed again
        if there.covers(plan):
            return None
        stored.append((path, there))
        plan = ChunkPlan(
            run_key=run_key,
            index=block.index,
            sample_ids=tuple({*plan.sample_ids, *there.sample_ids}),
            draws=max(plan.draws, there.draws),
            layers=tuple({*plan.layers, *there.layers}),
            layer_features=plan.layer_features or there.layer_features,
            single_token=plan.single_token and there.single_token,
            conditions=conditions,
        )
    return _with_copies(plan, stored)


def _with_copies(plan: ChunkPlan, stored: Sequence[tuple[Path, ChunkPlan]]) -> Missing:
    """Find the samples of a plan that a stored chunk has in full."""
    import pyarrow as pa

    from data_cache.chunks import read_chunk
    from data_cache.errors import ChunkInvalid

    open_ids = set(plan.sample_ids)
    kept: list[Any] = []
    for path, there in stored:
        copied = open_ids & set(there.sample_ids)
        needed = ChunkPlan(
            run_key=plan.run_key,
            index=plan.index,
            sample_ids=tuple(copied) or plan.sample_ids,
            draws=plan.draws,
            layers=plan.layers,
            layer_features=plan.layer_features,
            conditions=plan.conditions,
        )
        if not copied or not there.covers(needed):
            continue
        try:
            table = read_chunk(path).table
        except ChunkInvalid:
            continue  # ingest quarantines and names it
        rows = pa.array([row in copied for row in table["sample_id"].to_pylist()])
        kept.append(table.filter(rows))
        open_ids -= copied
    return Missing(plan=plan, compute=tuple(sorted(open_ids)), kept=tuple(kept))


def prediction_table(results: Iterable[BatchResult], kept: Sequence[Any] = ()) -> Any:
    """Return a chunk's rows as an Arrow table, with the columns of `data_cache.validation`.

    Parameters
    ----------
    results
        What was computed.
    kept
        Tables of other chunks, to be copied.
    """
    import pyarrow as pa

    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "sample_id", "condition", "draw", "layer", "scores", "strict_choice", "top_token",
            "text_tokens", "image_tokens", "features_1", "features_2", "partner",
        )
    }  # fmt: skip
    for result in results:
        for row in result.rows:
            columns["sample_id"].append(row.sample.id)
            columns["condition"].append(str(row.condition))
            columns["draw"].append(row.draw)
            columns["layer"].append(row.layer)
            columns["scores"].append(row.scores.tolist())
            columns["strict_choice"].append(row.strict_choice)
            columns["top_token"].append(row.top_token)
            unmasked = row.condition is Condition.FULL and row.draw == 0
            features = (
                result.features.get(row.sample.id) if unmasked and row.layer == OWN_LAYER else None
            )
            columns["text_tokens"].append(features.text_tokens if features else None)
            columns["image_tokens"].append(features.vision_tokens if features else None)
            vision, text = _vectors(result, row) if unmasked else (None, None)
            columns["features_1"].append(vision)
            columns["features_2"].append(text)
            columns["partner"].append(row.partner)
    if not any(columns["partner"]):
        del columns["partner"]
    vector = pa.list_(pa.float32())
    types = {"scores": vector, "features_1": vector, "features_2": vector}
    computed = pa.table(
        {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    )
    if not kept:
        return computed
    return pa.concat_tables([computed.cast(kept[0].schema), *kept])


def _vectors(result: BatchResult, row: Row) -> "tuple[np.ndarray | None, np.ndarray | None]":
    """Return the features that belong into the row of a full run, where there are any."""
    if row.layer == OWN_LAYER:
        own = result.features.get(row.sample.id)
        return (own.vision, own.text) if own else (None, None)
    states = result.layer_features.get(row.sample.id)
    return (states.vision[row.layer], states.text[row.layer]) if states else (None, None)
