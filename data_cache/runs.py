"""Which run a folder belongs to: the key of a configuration, and the sidecar that spells it out."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from data_cache.atomic import write_atomically
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import checked_key, run_directory

SIDECAR_NAME = "run.json"
SIDECAR_VERSION = 1

IDENTITY = ("model", "family", "benchmark", "benchmark_key")
"""What every configuration names, as text; lists and pickers show them."""


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What `run.json` holds."""

    run_key: str
    config: dict[str, Any]
    """Everything that changes a prediction; its hash is the run key."""
    self_test: dict[str, Any] = field(default_factory=dict[str, Any])
    """The family's report of its last self-test."""
    environment: dict[str, Any] = field(default_factory=dict[str, Any])
    """Versions and machine; not part of the key."""


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN.

    Raises
    ------
    CacheError
        If the value holds something that JSON cannot say, or a key that is not text.
    """
    _refuse_other_keys(value)
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise CacheError(
            f"a configuration must be plain JSON, and this one is not: {error}"
        ) from error


def run_key(config: Mapping[str, Any]) -> str:
    """Return the 16 hexadecimal digits that name the run of a configuration.

    >>> run_key({"model": "m", "seed": 0}) == run_key({"seed": 0, "model": "m"})
    True
    """
    return hash_text(canonical_json(dict(config)), 16)


def hash_text(text: str, digits: int) -> str:
    """Return the first `digits` hexadecimal digits of the SHA-256 of `text` in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def write_sidecar(
    cache: Path,
    key: str,
    config: Mapping[str, Any],
    *,
    self_test: Mapping[str, Any] | None = None,
    environment: Mapping[str, Any] | None = None,
) -> Path:
    """Write `run.json` before the first chunk of a run; the same content is not written twice.

    Parameters
    ----------
    cache
        The cache folder.
    key
        `run_key(config)`.
    config
        Everything that changes a prediction, with text under each of `IDENTITY`.
    self_test, environment
        Evidence beside the configuration; the latest is kept.

    Raises
    ------
    CacheError
        If the key is not that of the configuration, an identity is missing, or the disk is full.
    """
    expected = run_key(config)
    if key != expected:
        raise CacheError(f"the configuration has the run key {expected}, not {key}")
    _check_identity(config)
    sidecar = {
        "schema_version": SIDECAR_VERSION,
        "run_key": key,
        "config": dict(config),
        "self_test": dict(self_test or {}),
        "environment": dict(environment or {}),
    }
    _refuse_other_keys(sidecar)
    content = (json.dumps(sidecar, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    path = run_directory(cache, key) / SIDECAR_NAME
    if path.is_file() and path.read_bytes() == content:
        return path
    return write_atomically(path, content)


def read_sidecar(cache: Path, key: str) -> Sidecar:
    """Read the sidecar of a run.

    Raises
    ------
    CacheError
        If it is missing or is no sidecar of that run.
    SchemaTooNew
        If a newer PIDscope wrote it.
    """
    path = run_directory(cache, key) / SIDECAR_NAME
    try:
        read: object = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CacheError(f"{path} cannot be read ({error}); profile the run again") from error
    if not isinstance(read, dict):
        raise CacheError(f"{path} is no sidecar; profile the run again")
    content = cast(dict[str, Any], read)
    version = content.get("schema_version")
    if isinstance(version, int) and version > SIDECAR_VERSION:
        raise SchemaTooNew(
            f"{path} was written by a newer PIDscope (schema {version}, this one reads "
            f"{SIDECAR_VERSION}); upgrade or choose another folder with --cache"
        )
    config = content.get("config")
    if content.get("run_key") != checked_key(key) or not isinstance(config, dict):
        raise CacheError(f"{path} is not the sidecar of run {key}; profile the run again")
    _check_identity(cast(dict[str, Any], config))
    return Sidecar(
        run_key=key,
        config=cast(dict[str, Any], config),
        self_test=content.get("self_test") or {},
        environment=content.get("environment") or {},
    )


def _check_identity(config: Mapping[str, Any]) -> None:
    for name in IDENTITY:
        if not isinstance(config.get(name), str) or not config[name]:
            raise CacheError(
                f"a run's configuration must name its {name}; got {config.get(name)!r}"
            )


def _refuse_other_keys(value: object) -> None:
    # json.dumps would write the keys 1 and "1" alike, and two runs would share a key.
    if isinstance(value, Mapping):
        for key, item in cast(Mapping[object, object], value).items():
            if not isinstance(key, str):
                raise CacheError(f"a configuration's names must be text; got {key!r}")
            _refuse_other_keys(item)
    elif isinstance(value, list | tuple):
        for item in cast(tuple[object, ...], value):
            _refuse_other_keys(item)
