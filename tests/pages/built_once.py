"""Cache folders that many tests fill alike are filled once, and copied."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def built_once(build: Callable[P, T]) -> Callable[P, T]:
    """Keep what a function writes into a new folder, its first argument, and copy it from then on.

    What counts is how the other arguments are written by `repr`. A folder that is there already is
    added to, as without this.
    """
    kept: dict[str, tuple[Path, Any]] = {}

    @wraps(build)
    def copied(*given: P.args, **settings: P.kwargs) -> T:
        folder, *others = given
        assert isinstance(folder, Path)
        if folder.exists():
            return build(*given, **settings)
        name = repr((others, settings))
        if name not in kept:
            found = build(*given, **settings)
            own = Path(tempfile.mkdtemp(prefix="pidscope-built-")) / "cache"
            atexit.register(shutil.rmtree, own.parent, ignore_errors=True)
            shutil.copytree(folder, own)
            kept[name] = own, found
        own, found = kept[name]
        if not folder.exists():
            shutil.copytree(own, folder)
        return folder if isinstance(found, Path) else found

    return copied
