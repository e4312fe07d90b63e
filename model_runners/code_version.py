"""Which code computes a result: a hash of a module and of everything of ours that it imports.

A result that is kept is only as good as the code that made it. Nobody has to remember to raise a
version when a formula changes: the source says it.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pid_core", "data_cache", "model_runners")
_IMPORT = re.compile(
    rf"^\s*(?:from\s+((?:{'|'.join(PACKAGES)})[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)"
    rf"|import\s+((?:{'|'.join(PACKAGES)})[\w.]*))",
    re.MULTILINE,
)
_NAME = re.compile(r"\w+")


@cache
def code_version(module: str, *, data: tuple[str, ...] = (), root: Path = ROOT) -> str:
    """Return 16 hexadecimal digits that change with the source of a module or of what it imports.

    Parameters
    ----------
    module
        With its package, for example `model_runners.findings.report`. Imports inside functions
        count; other people's packages do not.
    data
        Files that the code reads and that ship with it, below the root.
    root
        The folder of the packages.

    Returns
    -------
    Where the source is not there (only compiled files are), digits that no other process has, so
    that nothing which is kept under them is ever taken for current.
    """
    digest = hashlib.sha256()
    found = sources([module], root)
    if not found:
        return secrets.token_hex(8)
    for path in [*found, *(root / name for name in data)]:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def sources(modules: Iterable[str], root: Path = ROOT) -> list[Path]:
    """Return the files of some modules and of all of ours that they import, by path."""
    files = _files(root)
    waiting, known = list(modules), dict[str, Path]()
    while waiting:
        name = waiting.pop()
        if name in known or name not in files:
            continue
        known[name] = files[name]
        waiting += [name.rpartition(".")[0], *_imported(files[name].read_text(encoding="utf-8"))]
    return sorted(known.values())


def _imported(source: str) -> list[str]:
    names: list[str] = []
    for package, what, module in _IMPORT.findall(source):
        names.append(package or module)
        # What is imported from a package may be a module of it.
        names += [f"{package}.{one}" for one in _NAME.findall(what)] if package else []
    return names


def _files(root: Path) -> dict[str, Path]:
    """Return every module of ours with its file."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for folder, inside, names in os.walk(root / package):
            if "__init__.py" not in names:
                inside.clear()  # thousands of chunks lie in the folder of the demo
                continue
            module = os.path.relpath(folder, root).replace(os.sep, ".")
            for name in names:
                if name.endswith(".py"):
                    own = module if name == "__init__.py" else f"{module}.{name[:-3]}"
                    found[own] = Path(folder, name)
    return found
