"""What the first view of each page costs on a fresh server: processor seconds of its script.

    python bench/bench_first_views.py --cache DIR            # a table
    python bench/bench_first_views.py --cache DIR --json     # one JSON object

Each page runs in a process of its own, forked when the program has been read and nothing of the
cache has: what is left is reading the cache, computing, and drawing. `again` is the same page once
more. Fill the cache before (`demo load`, or any job); delete its folder `derived` to see what a
page costs that has to compute. `--cache` is never written to by a page that finds what it needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import show, where  # noqa: E402
from streamlit.testing.v1 import AppTest  # noqa: E402

VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    *((page, {}) for page in ("overview", "spectra", "samples", "layers", "training", "families")),
    ("families", {"show": "correlations", "among": "all"}),
    ("families", {"show": "tasks", "among": "all"}),
    ("findings", {}),
    ("findings", {"tasks": "subsets"}),
    *((page, {}) for page in ("compare", "lab", "lora", "benchmarks", "run")),
)
PATIENCE = 600


def seconds_of(page: str, query: dict[str, str]) -> tuple[float, float]:
    """Return the processor seconds of the first view and of the second one."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    began = time.process_time()
    app.switch_page(f"pages/{page}.py").run()
    first = time.process_time() - began
    began = time.process_time()
    app.run()
    if app.exception:
        raise RuntimeError(f"{page} {query}: {app.exception[0].message}")
    return first, time.process_time() - began


def in_a_process_of_its_own(page: str, query: dict[str, str]) -> tuple[float, float]:
    """Fork, measure, and hand the two numbers over."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, json.dumps(seconds_of(page, query)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if not text:
        raise SystemExit(f"{page} {query} could not be drawn")
    first, again = json.loads(text)
    return first, again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ["PIDSCOPE_CACHE"] = str(Path(arguments.cache).absolute())
    os.chdir(ROOT)
    for folder in ("pages/widgets", "pages/figures"):
        for path in sorted(Path(folder).glob("*.py")):
            importlib.import_module(f"{folder.replace('/', '.')}.{path.stem}")
    AppTest.from_string("import streamlit as st\nst.text('warm')").run()
    rows = []
    for page, query in VIEWS:
        first, again = in_a_process_of_its_own(page, query)
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        rows.append(
            {
                "page": f"{page}?{asked}" if asked else page,
                "first_s": round(first, 2),
                "again_s": round(again, 2),
            }
        )
    if arguments.json:
        print(json.dumps({"where": where(), "rows": rows}, indent=1))
    else:
        show("first view of each page, processor seconds", rows)


if __name__ == "__main__":
    main()
