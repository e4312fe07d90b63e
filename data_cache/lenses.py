"""What is kept of a tuned lens: one file, its maps behind a record of how it came to be.

`<cache>/lenses/<key>.safetensors` holds a map per layer; the record lies in the file's own header,
so that a lens appears whole or not at all and can be listed without torch. It can be copied to
another cache. No database holds it, and a rebuild leaves it alone.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import lens_path
from data_cache.runs import canonical_json, hash_text

RECORD_VERSION = 1
METADATA_KEY = "pidscope"
LARGEST_HEADER = 2**24
"""Bytes; what claims more is no header."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LensRecord:
    """How a lens came to be, and what it does."""

    key: str
    """16 hexadecimal digits: `lens_key(recipe, settings)`."""
    model: str
    """The name that the model had when it was trained."""
    benchmark: str
    recipe: dict[str, Any]
    """What a run must agree on to be read through it: weights, prompt, mask, benchmark."""
    settings: dict[str, Any]
    """How it was trained."""
    fits: list[dict[str, Any]]
    """Per layer but the last: `layer`, `before` and `after` (mean KL from the model's own output on
    groups that were held out, bits) and `epochs`."""
    learned: int
    """States that were learned from."""
    held_out: int
    """States that said when to stop, and that the numbers of `fits` are of."""
    environment: dict[str, Any]
    """Versions, machine, seconds; not part of the key."""
    created: str
    """ISO 8601, UTC."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def lens_key(recipe: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return the 16 hexadecimal digits that name a lens: trained alike of the same, the same key.

    >>> lens_key({"weights": "w"}, {"seed": 0}) == lens_key({"weights": "w"}, {"seed": 1})
    False
    """
    return hash_text(canonical_json({"recipe": dict(recipe), "settings": dict(settings)}), 16)


def header_of(record: LensRecord) -> dict[str, str]:
    """Return the metadata of the file that `record` belongs in."""
    content = {"schema_version": RECORD_VERSION, **record.to_dict()}
    return {METADATA_KEY: json.dumps(content, sort_keys=True, ensure_ascii=False)}


def write_lens(cache: Path, record: LensRecord, content: bytes) -> Path:
    """Write a lens; when this returns, a crash cannot lose it.

    Parameters
    ----------
    cache
        The cache folder.
    record
        Its key decides the file's name.
    content
        Of a safetensors file whose metadata are `header_of(record)`.

    Raises
    ------
    CacheError
        If the key is not that of recipe and settings, or the disk is full.
    """
    expected = lens_key(record.recipe, record.settings)
    if record.key != expected:
        raise CacheError(f"a lens of this recipe has the key {expected}, not {record.key}")
    return write_atomically(lens_path(cache, record.key), content)


def read_record(path: Path) -> LensRecord:
    """Read the record in a lens file's header.

    Raises
    ------
    CacheError
        If it is no lens, or another one than its name says.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= LARGEST_HEADER:
                raise ValueError("it has no header")
            header = cast(dict[str, Any], json.loads(file.read(length)))
        content = cast(dict[str, Any], json.loads(header["__metadata__"][METADATA_KEY]))
        version = int(content.pop("schema_version"))
        if version > RECORD_VERSION:
            raise SchemaTooNew(
                f"{path} was written by a newer PIDscope (schema {version}, this one reads "
                f"{RECORD_VERSION}); upgrade"
            )
        known = {one.name for one in fields(LensRecord)}
        record = LensRecord(**{name: content[name] for name in known & set(content)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CacheError(
            f"{path} is no tuned lens ({error}); remove it and train it again "
            "(python -m model_runners lens)"
        ) from error
    if lens_path(Path(), record.key).name != path.name:
        raise CacheError(f"{path} holds the lens {record.key}; was it renamed?")
    return record


def lens(cache: Path, key: str) -> LensRecord | None:
    """Return the record of the lens with a key; None where there is no such file."""
    path = lens_path(cache, key)
    return read_record(path) if path.is_file() else None


def lenses(cache: Path) -> list[LensRecord]:
    """Return the lenses, newest first; a broken file is passed over with a line in the log."""
    found: list[LensRecord] = []
    for path in sorted(lens_path(cache, "any").parent.glob("*.safetensors")):
        if path.name.startswith("."):  # another process is writing it
            continue
        try:
            found.append(read_record(path))
        except CacheError as error:
            log.warning("a lens is passed over: %s", error)
    return sorted(found, key=lambda record: (record.created, record.key), reverse=True)
