"""Kill -9, a hundred times: whether a plan that is killed again and again ends where it would have.

    python bench/bench_recovery.py                  # 100 kills, a table
    python bench/bench_recovery.py --kills 20 --json
    python bench/bench_recovery.py --minutes 10     # no more kills after so long

A plan of three demo models is measured undisturbed, and again while processes are killed at random
moments: the plan's own and the workers of its cells, the processes that keep both, an ingest, a
rebuild and the pages of a dashboard. Whatever is gone is started again, as a person would; where
everything is measured, half of the chunks are deleted, so that there is something to do. At the end
both caches are compared row by row. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import where  # noqa: E402

from data_cache import jobs  # noqa: E402
from data_cache.checkup import check_cache  # noqa: E402
from data_cache.errors import CacheError  # noqa: E402
from data_cache.store import reader  # noqa: E402
from model_runners.jobs import open_job, start  # noqa: E402
from model_runners.plans.options import PlanOptions  # noqa: E402
from model_runners.plans.plan_file import plan_of  # noqa: E402
from model_runners.requests import KIND, request_of  # noqa: E402

PAUSE = (0.2, 8.0)
"""Seconds between two kills: less than loading takes, and more."""
PLAN: dict[str, Any] = {
    "models": ["demo/oracle", "demo/fusion-small", "demo/language-small"],
    "benchmarks": [{"benchmark": "digits_vqa", "split": "test"}],
    "settings": [{"draws": 4, "layers": True, "batch_size": 64}],  # sizes found could differ
    "devices": ["cpu", "cpu"],
    "retries": 10,
}
PAGES = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=120)
while True:
    for page in ("overview", "spectra", "run", "layers"):
        app.switch_page(f"pages/{page}.py").run()
"""
"""What a dashboard does for somebody who goes round its pages."""
COMPARED = ("predictions", "samples", "blocks", "runs", "features", "estimates", "pointwise")


def rows_of(cache: Path) -> dict[str, tuple[int, str]]:
    """Number of rows of each table, and a hash over them that does not depend on their order."""
    own = {
        "estimates": "EXCLUDE (record)",  # says when it was made
        "runs": "EXCLUDE (environment, self_test)",
    }
    with reader(cache, patience=30) as connection:
        found = {}
        for table in COMPARED:
            count, digest = connection.execute(
                f"""SELECT count(*), bit_xor(hash(row_text)) FROM
                    (SELECT CAST(one AS VARCHAR) AS row_text
                     FROM (SELECT * {own.get(table, "")} FROM {table}) AS one)"""
            ).fetchall()[0]
            found[table] = (int(count), str(digest))
    return found


def duplicates(cache: Path) -> int:
    with reader(cache, patience=30) as connection:
        return connection.execute(
            """SELECT count(*) - count(DISTINCT (run_key, sample_id, condition, draw, layer))
               FROM predictions"""
        ).fetchall()[0][0]


def wait_for_end(cache: Path, plan: PlanOptions) -> None:
    """Start the plan, and what is gone of it, until it is done."""
    while not go_on(cache, plan):
        time.sleep(0.5)


def go_on(cache: Path, plan: PlanOptions) -> bool:
    """Start what is gone, as a person would; whether everything is done."""
    try:
        row = open_job(cache, plan)
        if row.state == "done":
            return True
        if not row.is_active or row.pid is None:
            start(cache, plan)
        for cell in plan.cells:  # before the plan itself tries them again
            one = jobs.job(cache, jobs.job_key(KIND, request_of(cell)))
            if one is not None and one.state == "lost":
                start(cache, cell)
    except CacheError as error:  # a crowd: it is tried again in a moment
        print(error, file=sys.stderr)
    return False


def command(cache: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PIDSCOPE_CACHE": str(cache), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def working(cache: Path) -> dict[int, str]:
    """Processes of jobs of this cache, and what each does."""
    rows = {row.pid: row.kind for row in jobs.jobs(cache, limit=-1) if row.is_active}
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"work" in words and os.fsencode(cache) in words:
                pid = int(folder.name)
                found[pid] = f"{rows[pid]} job" if pid in rows else "keeper of a job"
    return found


def disturb(
    cache: Path, plan: PlanOptions, kills: int, minutes: float, seed: int
) -> tuple[Counter[str], int]:
    """Carry the plan out while killing; how often what was killed, and how often it was done."""
    choose, until = random.Random(seed), time.monotonic() + minutes * 60
    killed: Counter[str] = Counter()
    rounds = 0
    beside: dict[str, subprocess.Popen[bytes]] = {}
    words = {
        "dashboard": ("-c", PAGES),
        "ingest": ("-m", "model_runners", "ingest"),
        "rebuild": ("-m", "model_runners", "rebuild"),
    }
    while killed.total() < kills and time.monotonic() < until:
        if go_on(cache, plan):
            rounds += 1
            chunks = sorted(cache.glob("spool/*/0*.parquet"))
            for chunk in choose.sample(chunks, len(chunks) // 2):
                chunk.unlink()
            command(cache, "-m", "model_runners", "rebuild").wait()
            continue
        for name, said in words.items():
            if name not in beside or beside[name].poll() is not None:
                beside[name] = command(cache, *said)
        time.sleep(choose.uniform(*PAUSE))
        victims = working(cache)
        victims |= {one.pid: name for name, one in beside.items() if one.poll() is None}
        if not victims:
            continue
        # First what, then which: or the many processes of jobs would be all that is ever killed.
        what = choose.choice(sorted(set(victims.values())))
        pid = choose.choice(sorted(one for one, name in victims.items() if name == what))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed[what] += 1
        print(f"\r{killed.total()} of {kills} kills", end="", file=sys.stderr)
    print(file=sys.stderr)
    for one in beside.values():
        one.kill()
        one.wait()
    return killed, rounds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=30.0, help="after so long no more kills")
    parser.add_argument("--limit", type=int, default=512, help="samples of each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ |= {"PIDSCOPE_DEVICES": "cpu,cpu", "OMP_NUM_THREADS": "1"}  # as the plan's cells
    plan = plan_of({**PLAN, "settings": [{**PLAN["settings"][0], "limit": arguments.limit}]})
    with tempfile.TemporaryDirectory() as folder:
        calm, rough = Path(folder, "calm"), Path(folder, "rough")
        began = time.monotonic()
        wait_for_end(calm, plan)
        undisturbed = time.monotonic() - began
        began = time.monotonic()
        kills, rounds = disturb(rough, plan, arguments.kills, arguments.minutes, arguments.seed)
        wait_for_end(rough, plan)
        subprocess.run(
            [sys.executable, "-m", "model_runners", "rebuild", "--cache", str(rough)],
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        disturbed = time.monotonic() - began
        expected, found = rows_of(calm), rows_of(rough)
        result = {
            **where(),
            "kills": dict(kills),
            "times_done_meanwhile": rounds,
            "undisturbed_s": round(undisturbed, 1),
            "disturbed_s": round(disturbed, 1),
            "rows": {table: count for table, (count, _) in expected.items()},
            "rows_after": {table: count for table, (count, _) in found.items()},
            "tables_that_differ": [name for name in COMPARED if expected[name] != found[name]],
            "duplicates": duplicates(rough),
            "troubles": [str(one) for one in check_cache(rough)],
        }
    wrong = bool(result["tables_that_differ"] or result["duplicates"] or result["troubles"])
    if arguments.json:
        print(json.dumps(result, indent=1))
        return int(wrong)
    print(f"{sum(kills.values())} kills: {dict(kills)}")
    print(f"undisturbed {undisturbed:.0f} s, disturbed {disturbed:.0f} s")
    for table in COMPARED:
        same = "the same" if expected[table] == found[table] else "DIFFERENT"
        print(f"{table:>12}: {expected[table][0]:>8} rows, {found[table][0]:>8} after, {same}")
    print(f"{result['duplicates']} predictions twice; {len(result['troubles'])} troubles")
    for one in result["troubles"]:
        print(one)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
