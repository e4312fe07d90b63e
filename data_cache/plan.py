"""What a prediction chunk is meant to hold, and when one chunk makes another superfluous."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from data_cache.arrow import is_as_written
from data_cache.conditions import DRAWN, PROBED, Condition
from data_cache.errors import CacheError, ChunkInvalid, SchemaTooNew
from data_cache.runs import canonical_json, hash_text

CHUNK_VERSION = 1
"""What files of the spool say; an older PIDscope reads them."""
FEATURES_VERSION = 2
"""What a prediction chunk with features of layers says: an older PIDscope would call it broken."""
INFLUENCE_VERSION = 2
"""What an estimate with influences says, for the same reason."""
SAMPLE_VERSION = 3
"""What a chunk of samples says: an older PIDscope knows none with each thumbnail once."""
SWAP_VERSION = 4
"""What a prediction chunk with swaps says: an older PIDscope knows no partners."""
NEWEST_VERSION = max(FEATURES_VERSION, INFLUENCE_VERSION, SAMPLE_VERSION, SWAP_VERSION)
"""The newest that is read here."""
BLOCK_SIZE = 64
"""Positions of a benchmark's fixed order that share a block; block = position // 64."""

OUTPUT_LAYER = -1
"""The model's own output, as opposed to the logit lens of an inner layer."""

METADATA_KEY = "pidscope"
CHUNK_NAME = re.compile(r"(\d{5,})-([0-9a-f]{12})\.parquet")


def _storable(sample_id: str) -> bool:
    # numpy strings lose a NUL at the end, and UTF-8 has no lone surrogates.
    return "\0" not in sample_id and sample_id == sample_id.encode("utf-8", "replace").decode()


def block_of(position: int) -> int:
    """Return the index of the block that holds a position of the benchmark's order."""
    return position // BLOCK_SIZE


@dataclass(frozen=True, kw_only=True)
class ChunkPlan:
    """The keys of a chunk's rows: samples x layers x conditions x draws of one block of one run."""

    run_key: str
    index: int
    """Which block of the benchmark's order, from 0."""
    sample_ids: tuple[str, ...]
    """Some or all samples of the block; kept sorted."""
    draws: int = 1
    """Draws of noise in the masked conditions, or rounds of swaps; the others have one."""
    layers: tuple[int, ...] = (OUTPUT_LAYER,)
    conditions: tuple[Condition, ...] = PROBED
    single_token: bool = True
    """Every candidate is one token, so that their probabilities sum to 1 at most. Probabilities
    normalised by token length have no such bound, and their sum is not checked."""
    layer_features: bool = False
    """Each inner layer has features of its own: the mean of its states over the positions of each
    modality, in its row of the full run."""

    def __post_init__(self) -> None:
        """Sort, so that equal plans are equal, and refuse what no chunk can be."""
        object.__setattr__(self, "sample_ids", tuple(sorted(self.sample_ids)))
        object.__setattr__(self, "layers", tuple(sorted(self.layers)))
        given = set(self.conditions)
        object.__setattr__(self, "conditions", tuple(c for c in Condition if c in given))
        where = f"block {self.index} of run {self.run_key}"
        if not 0 < len(self.sample_ids) <= BLOCK_SIZE:
            raise ChunkInvalid(
                f"{where} has {len(self.sample_ids)} samples; 1 to {BLOCK_SIZE} belong in one chunk"
            )
        if len(set(self.sample_ids)) < len(self.sample_ids):
            raise ChunkInvalid(f"{where} names a sample twice; ids must be unique")
        if not all(map(_storable, self.sample_ids)):
            raise ChunkInvalid(f"{where} has a sample id with a NUL or half a character; rename it")
        repeated = len(set(self.layers)) < len(self.layers)
        if self.index < 0 or self.draws < 1 or not self.layers or repeated:
            raise ChunkInvalid(
                f"{where} is planned with {self.draws} draws and layers {self.layers}; "
                "one draw or more and different layers are needed"
            )
        if not given or given != set(self.conditions):
            raise ChunkInvalid(f"{where} is planned with the conditions {sorted(given)}")
        if self.layer_features and (max(self.layers) < 0 or Condition.FULL not in given):
            raise ChunkInvalid(
                f"{where} is planned with features of layers and without an inner layer of the "
                "full run, whose rows hold them; plan both"
            )

    def draws_of(self, condition: Condition) -> int:
        """Return how many draws a condition has."""
        return self.draws if condition in DRAWN else 1

    @property
    def has_partners(self) -> bool:
        """Whether its rows of swaps name a partner each."""
        return Condition.SWAP in self.conditions

    @property
    def rows(self) -> int:
        """How many rows the chunk has."""
        draws = sum(self.draws_of(condition) for condition in self.conditions)
        return len(self.sample_ids) * len(self.layers) * draws

    @property
    def _version(self) -> int:
        if self.has_partners:
            return SWAP_VERSION
        return FEATURES_VERSION if self.layer_features else CHUNK_VERSION

    @cached_property
    def name(self) -> str:
        """The chunk's file name: its block and a hash of what it holds, never a time."""
        content: list[Any] = [self.sample_ids, self.draws, self.layers, self.conditions]
        if self.layer_features:
            content.append("layer_features")
        return f"{self.index:05d}-{hash_text(canonical_json(content), 12)}.parquet"

    def covers(self, other: "ChunkPlan") -> bool:
        """Whether this chunk has every row of `other`."""
        return (
            (self.run_key, self.index) == (other.run_key, other.index)
            and self.draws >= other.draws
            and set(self.sample_ids) >= set(other.sample_ids)
            and set(self.layers) >= set(other.layers)
            and set(self.conditions) >= set(other.conditions)
            and self.layer_features >= other.layer_features
        )

    def to_metadata(self) -> dict[str, str]:
        """Return the plan as the key-value metadata of a Parquet file."""
        return {
            METADATA_KEY: canonical_json(
                {
                    "schema_version": self._version,
                    "run_key": self.run_key,
                    "index": self.index,
                    "n_samples": len(self.sample_ids),
                    "sample_ids": self.sample_ids,
                    "draws": self.draws,
                    "layers": self.layers,
                    "conditions": self.conditions,
                    "single_token": self.single_token,
                    **({"layer_features": True} if self.layer_features else {}),
                }
            )
        }

    @staticmethod
    def from_metadata(metadata: dict[bytes, bytes] | None, where: str) -> "ChunkPlan":
        """Read the plan back.

        Raises
        ------
        ChunkInvalid
            If the metadata is missing or is no plan.
        SchemaTooNew
            If a newer PIDscope wrote the chunk.
        """
        content = chunk_metadata(metadata, where)
        try:
            return ChunkPlan(
                run_key=str(content["run_key"]),
                index=int(content["index"]),
                sample_ids=tuple(map(str, content["sample_ids"])),
                draws=int(content["draws"]),
                layers=tuple(map(int, content["layers"])),
                conditions=tuple(map(Condition, content["conditions"])),
                single_token=bool(content["single_token"]),
                layer_features=bool(content.get("layer_features", False)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ChunkInvalid(
                f"{where} has metadata that is no plan of a chunk: {error}"
            ) from error


def chunk_metadata(metadata: dict[bytes, bytes] | None, where: str) -> dict[str, Any]:
    """Return the JSON object that each of our Parquet files carries.

    Raises
    ------
    ChunkInvalid
        If there is none.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    text = (metadata or {}).get(METADATA_KEY.encode())
    if text is None:
        raise ChunkInvalid(f"{where} is a Parquet file without PIDscope's metadata")
    if not is_as_written(metadata or {}):
        raise ChunkInvalid(f"{where} has metadata that are not what was written")
    try:
        content: dict[str, Any] = json.loads(text)
        version = int(content["schema_version"])
    except (KeyError, TypeError, ValueError) as error:
        raise ChunkInvalid(f"{where} has unreadable metadata: {error}") from error
    if version > NEWEST_VERSION:
        raise SchemaTooNew(
            f"{where} was written by a newer PIDscope (schema {version}, this one reads "
            f"{NEWEST_VERSION}); upgrade or choose another folder with --cache"
        )
    return content


def read_failure(error: Exception, where: str) -> CacheError:
    """Return what a failed read of a Parquet file means.

    An error number comes from the operating system and says nothing about the file's content, so
    the file must not be judged by it.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return CacheError(f"{where} cannot be read now ({error.strerror}); check the disk")
    return ChunkInvalid(f"{where} is no readable Parquet file: {error}")


def largest_first(plans: Iterable[ChunkPlan]) -> list[ChunkPlan]:
    """Order the chunks of one block by rank: more rows first, more features, then by name."""
    return sorted(plans, key=lambda plan: (-plan.rows, not plan.layer_features, plan.name))
