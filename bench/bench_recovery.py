"""Kill -9, a hundred times: whether a plan that is killed again and again ends where it would have.

    python bench/bench_recovery.py                  # 100 kills, a table
    python bench/bench_recovery.py --kills 20 --json

A plan of three demo models is measured undisturbed, and again while processes are killed at random
moments: the plan's own, the workers of its cells, an ingest, a rebuild and a dashboard. Whatever is
gone is started again, as a person would. At the end both caches are compared row by row.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import where  # noqa: E402

from data_cache import jobs  # noqa: E402
from data_cache.checkup import check_cache  # noqa: E402
from data_cache.errors import CacheError  # noqa: E402
from data_cache.jobs import JobRow  # noqa: E402
from data_cache.store import reader  # noqa: E402
from model_runners.jobs import open_job, start  # noqa: E402
from model_runners.plans.options import PlanOptions  # noqa: E402
from model_runners.plans.plan_file import plan_of  # noqa: E402

PAUSE = (0.2, 8.0)
"""Seconds between two kills: less than loading takes, and more."""
PLAN = {
    "models": ["demo/oracle", "demo/fusion-small", "demo/language-small"],
    "benchmarks": [{"benchmark": "digits_vqa", "split": "test"}],
    "settings": [{"draws": 4, "layers": True}],
    "devices": ["cpu", "cpu"],
    "retries": 10,
}
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
    """Start the plan, and again where its process is gone, until it is done."""
    while True:
        row = seen(cache, open_job(cache, plan).job_key)
        if row is not None and row.state == "done":
            return
        if row is None or not row.is_active or row.pid is None:
            start(cache, plan)
        time.sleep(0.5)


def seen(cache: Path, key: str) -> JobRow | None:
    try:
        return jobs.job(cache, key)
    except CacheError:
        return None


def command(cache: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "PIDSCOPE_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dashboard(cache: Path) -> subprocess.Popen[bytes]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return command(
        cache, "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"
    )


def disturb(cache: Path, plan: PlanOptions, kills: int, seed: int) -> Counter[str]:
    """Carry the plan out while killing; returns how often what was killed."""
    choose = random.Random(seed)
    done: Counter[str] = Counter()
    beside: dict[str, subprocess.Popen[bytes]] = {}
    while done.total() < kills:
        row = open_job(cache, plan)
        if row.state == "done":
            # Some results go away, so that there is something to be done again.
            chunks = sorted(cache.glob("spool/*/0*.parquet"))
            for chunk in choose.sample(chunks, len(chunks) // 2):
                chunk.unlink()
            command(cache, "model_runners", "rebuild").wait()
        if not row.is_active or row.pid is None:
            start(cache, plan)
        for name, make in (
            ("dashboard", lambda: dashboard(cache)),
            ("ingest", lambda: command(cache, "model_runners", "ingest")),
            ("rebuild", lambda: command(cache, "model_runners", "rebuild")),
        ):
            if name not in beside or beside[name].poll() is not None:
                beside[name] = make()
        time.sleep(choose.uniform(*PAUSE))
        victims: dict[str, int] = {
            f"{job.kind} job": job.pid
            for job in jobs.jobs(cache, limit=-1)
            if job.is_active and job.pid is not None
        }
        victims |= {name: one.pid for name, one in beside.items() if one.poll() is None}
        if not victims:
            continue
        name = choose.choice(sorted(victims))
        try:
            os.kill(victims[name], signal.SIGKILL)
        except ProcessLookupError:
            continue
        done[name] += 1
        print(f"\r{done.total()} of {kills} kills", end="", file=sys.stderr)
    print(file=sys.stderr)
    for one in beside.values():
        one.kill()
        one.wait()
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    plan = plan_of(PLAN)
    with tempfile.TemporaryDirectory() as folder:
        calm, rough = Path(folder, "calm"), Path(folder, "rough")
        began = time.monotonic()
        wait_for_end(calm, plan)
        undisturbed = time.monotonic() - began
        began = time.monotonic()
        kills = disturb(rough, plan, arguments.kills, arguments.seed)
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
            "undisturbed_s": round(undisturbed, 1),
            "disturbed_s": round(disturbed, 1),
            "rows": {table: count for table, (count, _) in expected.items()},
            "rows_after": {table: count for table, (count, _) in found.items()},
            "tables_that_differ": [name for name in COMPARED if expected[name] != found[name]],
            "duplicates": duplicates(rough),
            "troubles": [str(one) for one in check_cache(rough)],
        }
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{sum(kills.values())} kills: {dict(kills)}")
    print(f"undisturbed {undisturbed:.0f} s, disturbed {disturbed:.0f} s")
    for table in COMPARED:
        same = "the same" if expected[table] == found[table] else "DIFFERENT"
        print(f"{table:>12}: {expected[table][0]:>8} rows, {found[table][0]:>8} after, {same}")
    print(f"{result['duplicates']} predictions twice; {len(result['troubles'])} troubles")


if __name__ == "__main__":
    main()
