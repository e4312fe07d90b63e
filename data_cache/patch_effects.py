"""What patching did to a run's answers: one Parquet file per block, beside the run's chunks.

The files lie in the run's own folder of the spool, so they go where the run goes and outlive every
rebuild of the database; pages read them as they are. A file appears whole or not at all. One that
holds more than another of its block takes its place.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.arrow import UNREADABLE, Table, pa, parquet_bytes, parquet_file, pq
from data_cache.atomic import write_atomically
from data_cache.conditions import Condition
from data_cache.errors import CacheError, ChunkInvalid
from data_cache.location import run_directory
from data_cache.plan import ChunkPlan, largest_first, read_failure
from data_cache.runs import canonical_json

FOLDER = "patches"
"""Below the run's own folder."""
ABOUT_KEY = "patched_with"
UNPATCHED = -1
"""In place of a layer: nothing was put in."""
CONDITIONS = (Condition.FULL, Condition.ONLY_2)
PATCH_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("condition", pa.string()),  # full, or only_2: the run whose image is noise
        ("draw", pa.int16()),
        ("layer", pa.int16()),  # after which the full run's state was put in; -1: after none
        ("scores", pa.list_(pa.float32())),  # log-likelihoods of the candidates
    ]
)


def patch_plan(
    run_key: str, index: int, sample_ids: Iterable[str], draws: int, layers: Iterable[int]
) -> ChunkPlan:
    """Return what the file of one block is to hold."""
    return ChunkPlan(
        run_key=run_key,
        index=index,
        sample_ids=tuple(sample_ids),
        draws=draws,
        layers=tuple(layers),
        conditions=CONDITIONS,
    )


@dataclass(frozen=True, kw_only=True)
class MissingPatches:
    """What a block lacks."""

    plan: ChunkPlan
    """The file to write: what is wanted, and what was there already."""
    compute: tuple[str, ...]
    """Samples to patch."""
    kept: tuple[Table, ...]
    """Rows of all other samples of the plan."""


def missing_patches(cache: Path, plan: ChunkPlan) -> MissingPatches | None:
    """Return what is to be computed for a block, or None where a file already has it.

    Nothing that was paid for is lost: what files of the block have beyond the plan joins it.
    """
    stored: list[tuple[Table, ChunkPlan]] = []
    wanted = plan
    for path, there in patch_files(cache, plan.run_key, plan.index):
        try:
            table = read_patches(path)
        except ChunkInvalid:
            continue  # its samples are patched again, and the new file takes its place
        if there.covers(wanted):
            return None
        stored.append((table, there))
        plan = patch_plan(
            plan.run_key,
            plan.index,
            {*plan.sample_ids, *there.sample_ids},
            max(plan.draws, there.draws),
            {*plan.layers, *there.layers},
        )
    lacking = set(plan.sample_ids)
    kept: list[Table] = []
    for table, there in stored:
        if there.draws < plan.draws or set(there.layers) < set(plan.layers):
            continue
        copied = lacking & set(there.sample_ids)
        kept.append(_of_samples(table, copied))
        lacking -= copied
    return MissingPatches(plan=plan, compute=tuple(sorted(lacking)), kept=tuple(kept))


def write_patches(
    cache: Path,
    plan: ChunkPlan,
    rows: Iterable[Mapping[str, Any]],
    *kept: Table,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Write the file of one block and take away those that it has everything of.

    Parameters
    ----------
    cache
        The cache folder.
    plan
        What the file holds; it decides the file's name.
    rows
        Columns of `PATCH_SCHEMA`, in any order.
    kept
        Tables of other files, to be copied.
    about
        Versions and machine, kept beside the rows.

    Raises
    ------
    CacheError
        If the rows are not those of the plan, or the disk is full; nothing is left behind.
    """
    new = pa.Table.from_pylist([dict(row) for row in rows], schema=PATCH_SCHEMA)
    table = pa.concat_tables([new, *kept]).sort_by(
        [(name, "ascending") for name in ("sample_id", "condition", "draw", "layer")]
    )
    _check(table, plan)
    path = _folder(cache, plan.run_key) / plan.name
    before = patch_files(cache, plan.run_key, plan.index)
    said = {ABOUT_KEY: canonical_json(dict(about or {}))}
    write_atomically(path, parquet_bytes(table, plan.to_metadata() | said))
    for old, there in before:
        if old != path and plan.covers(there):
            old.unlink(missing_ok=True)
    return path


def fingerprint(cache: Path, run_key: str) -> str:
    """Return a text that changes with what was patched of a run; empty where nothing was."""
    folder = _folder(cache, run_key)
    if not folder.is_dir():
        return ""
    found = sorted(path.name for path in folder.glob("[0-9]*.parquet"))
    return " ".join(found)


def _of_samples(table: Table, sample_ids: Collection[str]) -> Table:
    return table.filter(pa.array([one in sample_ids for one in table["sample_id"].to_pylist()]))


def _folder(cache: Path, run_key: str) -> Path:
    return run_directory(cache, run_key) / FOLDER


def patch_files(
    cache: Path, run_key: str, index: int | None = None
) -> list[tuple[Path, ChunkPlan]]:
    """List the readable files of a run or of one of its blocks, those with most rows first."""
    block = "[0-9]*" if index is None else f"{index:05d}"
    found: dict[ChunkPlan, Path] = {}
    for path in sorted(_folder(cache, run_key).glob(f"{block}-*.parquet")):
        try:
            plan = _plan(path, run_key)
        except ChunkInvalid:
            continue  # it is computed again
        found[plan] = path
    return [(found[plan], plan) for plan in largest_first(found)]


def _plan(path: Path, run_key: str) -> ChunkPlan:
    where = f"{run_key}/{FOLDER}/{path.name}"
    try:
        metadata = pq.read_metadata(path).metadata
    except UNREADABLE as error:
        raise read_failure(error, where) from error
    plan = ChunkPlan.from_metadata(metadata, where)
    if plan.name != path.name or plan.run_key != run_key:
        raise ChunkInvalid(f"{where} holds what belongs in {plan.run_key}/{FOLDER}/{plan.name}")
    return plan


def read_patches(path: Path) -> Table:
    """Return the rows of a file, columns of `PATCH_SCHEMA`.

    Raises
    ------
    CacheError
        If it cannot be read.
    """
    try:
        with parquet_file(path) as file:
            return file.read().replace_schema_metadata(None).cast(PATCH_SCHEMA)
    except UNREADABLE as error:
        raise read_failure(error, f"{FOLDER}/{path.name}") from error


def check_patches(path: Path) -> None:
    """Read a file of patches whole and check it.

    Raises
    ------
    ChunkInvalid
        If it breaks a rule.
    CacheError
        If it cannot be read.
    """
    table, plan = read_patches(path), _plan(path, path.parent.parent.name)
    if not _is_complete(table, plan):
        raise ChunkInvalid(f"{FOLDER}/{path.name} has other rows than its plan")


def _check(table: Table, plan: ChunkPlan) -> None:
    """Refuse rows that are not exactly those of the plan."""
    if not _is_complete(table, plan):
        raise CacheError(
            f"block {plan.index} of run {plan.run_key} has {len(table)} rows of patches that are "
            f"not the rows of its plan; nothing was written"
        )


def _is_complete(table: Table, plan: ChunkPlan) -> bool:
    names = ("sample_id", "condition", "draw", "layer")
    held = list(zip(*(table[name].to_pylist() for name in names), strict=True))
    full, masked = map(str, CONDITIONS)
    expected = {(one, full, 0, UNPATCHED) for one in plan.sample_ids} | {
        (one, masked, draw, layer)
        for one in plan.sample_ids
        for draw in range(plan.draws)
        for layer in (UNPATCHED, *plan.layers)
    }
    return set(held) == expected and len(held) == len(expected)
