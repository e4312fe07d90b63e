"""What a set of spool files means once read: which are good, which rule, which are in the way."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from data_cache.arrow import Table
from data_cache.chunks import Chunk, read_chunk
from data_cache.errors import CacheError, ChunkInvalid
from data_cache.plan import ChunkPlan, largest_first
from data_cache.records import SpectrumRecord, read_estimate
from data_cache.runs import Sidecar, read_sidecar
from data_cache.sample_chunks import SampleChunk, read_sample_chunk
from data_cache.spool import Kind, SpoolFile


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of a run, read from all its chunks."""

    run_key: str
    index: int
    chunks: tuple[Chunk, ...]
    """Those that no other covers, highest rank first: where two have a row, the first gives it.
    Empty when every chunk of the block was bad."""

    @property
    def sample_ids(self) -> set[str]:
        """The samples that any chunk has."""
        return {sample_id for chunk in self.chunks for sample_id in chunk.plan.sample_ids}

    @property
    def draws(self) -> int:
        """Draws that every sample has."""
        return min(max(plan.draws for plan in plans) for plans in self._by_sample())

    @property
    def layers(self) -> list[int]:
        """Layers that every sample has."""
        held = [{layer for plan in plans for layer in plan.layers} for plans in self._by_sample()]
        return sorted(set[int].intersection(*held))

    def _by_sample(self) -> Iterable[list[ChunkPlan]]:
        plans: dict[str, list[ChunkPlan]] = defaultdict(list)
        for chunk in self.chunks:
            for sample_id in chunk.plan.sample_ids:
                plans[sample_id].append(chunk.plan)
        return plans.values()


@dataclass(kw_only=True)
class Batch:
    """Everything that one transaction writes; filled by `read_batch`."""

    sidecars: list[Sidecar] = field(default_factory=list[Sidecar])
    samples: list[SampleChunk] = field(default_factory=list[SampleChunk])
    blocks: list[Block] = field(default_factory=list[Block])
    estimates: list[tuple[SpectrumRecord, Table]] = field(
        default_factory=list[tuple[SpectrumRecord, Table]]
    )
    ledger: list[tuple[SpoolFile, str | None]] = field(
        default_factory=list[tuple[SpoolFile, str | None]]
    )
    """Each good file, with the name of the chunk that covers it."""
    bad: list[tuple[SpoolFile, str]] = field(default_factory=list[tuple[SpoolFile, str]])
    """Files that break a rule, and which."""
    skipped: list[tuple[SpoolFile, str]] = field(default_factory=list[tuple[SpoolFile, str]])
    """Files that cannot be judged here, and why."""

    @property
    def ingested(self) -> int:
        """How many good chunks and estimates give rows."""
        return sum(
            file.kind is not Kind.RUN and covered_by is None for file, covered_by in self.ledger
        )

    @property
    def superseded(self) -> int:
        """How many good chunks give no rows, because another covers them."""
        return sum(covered_by is not None for _, covered_by in self.ledger)


def read_batch(cache: Path, files: list[SpoolFile], pending: list[SpoolFile]) -> Batch:
    """Read the pending files, and with each prediction chunk all chunks of its block.

    Nothing is raised for a bad file: it is listed in the batch.

    Parameters
    ----------
    cache
        The cache folder.
    files
        All files of the spool that may take part.
    pending
        Those of them that the database does not have.
    """
    batch = Batch()
    sidecars = _read_sidecars(
        cache, {file.owner for file in pending if file.kind is not Kind.SAMPLES}
    )
    touched = {(f.owner, f.block) for f in pending if f.kind is Kind.PREDICTIONS}
    by_block: dict[tuple[str, int | None], list[SpoolFile]] = defaultdict(list)
    for file in files:
        if file.kind is Kind.PREDICTIONS and (file.owner, file.block) in touched:
            by_block[file.owner, file.block].append(file)
    for file in (*(f for f in pending if f.kind is not Kind.PREDICTIONS), *_flat(by_block)):
        sidecar = sidecars.get(file.owner)
        if isinstance(sidecar, CacheError):
            batch.skipped.append((file, str(sidecar)))
            by_block.pop((file.owner, file.block), None)
        elif file.kind is Kind.RUN and sidecar is not None:
            batch.sidecars.append(sidecar)
            batch.ledger.append((file, None))
        elif file.kind is not Kind.PREDICTIONS:
            _read_other(batch, file)
    for (run_key, index), members in by_block.items():
        _read_block(batch, run_key, index or 0, members)
    return batch


def _flat(by_block: dict[tuple[str, int | None], list[SpoolFile]]) -> list[SpoolFile]:
    return [file for members in by_block.values() for file in members]


def _read_sidecars(cache: Path, owners: Iterable[str]) -> dict[str, Sidecar | CacheError]:
    read: dict[str, Sidecar | CacheError] = {}
    for owner in sorted(owners):
        try:
            read[owner] = read_sidecar(cache, owner)
        except CacheError as error:
            read[owner] = error
    return read


def _read_other(batch: Batch, file: SpoolFile) -> None:
    try:
        if file.kind is Kind.SAMPLES:
            batch.samples.append(read_sample_chunk(file.path))
        else:
            batch.estimates.append(read_estimate(file.path))
    except ChunkInvalid as error:
        batch.bad.append((file, str(error)))
    except CacheError as error:
        batch.skipped.append((file, str(error)))
    else:
        batch.ledger.append((file, None))


def _read_block(batch: Batch, run_key: str, index: int, members: list[SpoolFile]) -> None:
    chunks: dict[ChunkPlan, tuple[SpoolFile, Chunk]] = {}
    for file in members:
        try:
            chunk = read_chunk(file.path)
        except ChunkInvalid as error:
            batch.bad.append((file, str(error)))
        except CacheError as error:
            batch.skipped.append((file, str(error)))
        else:
            chunks[chunk.plan] = (file, chunk)
    kept: list[ChunkPlan] = []
    for plan in largest_first(chunks):
        cover = next((other for other in kept if other.covers(plan)), None)
        if cover is None:
            kept.append(plan)
        batch.ledger.append((chunks[plan][0], cover.name if cover else None))
    batch.blocks.append(
        Block(run_key=run_key, index=index, chunks=tuple(chunks[plan][1] for plan in kept))
    )
