"""What stands behind a job: it waits for a device, and replaces a worker that was lost.

Real processes, of a script that imports no model: what they do is to end in some way.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from data_cache import jobs
from data_cache.jobs import JobRow, Terms
from model_runners.jobs import cancel
from tests.model_runners.small_jobs import wait_for

ROOT = Path(__file__).resolve().parents[2]
KEEPER = """
import os, signal, sys, time
from pathlib import Path
from data_cache import jobs
from model_runners import keeper

cache, key, ways = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
keeper.FIRST_PAUSE = float(sys.argv[4])

def work():
    tries = cache / f"{key}.tries"
    way = ways[len(tries.read_text()) if tries.exists() else 0]
    tries.open("a").write("x")
    assert jobs.claim(cache, key, only_queued=True)
    jobs.report(cache, key, 1, 2, None, way)
    if way == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if way in ("memory", "broken"):
        jobs.finish(cache, key, "failed", way)
        return keeper.MAY_PASS if way == "memory" else 2
    if way == "waits":
        while not (cache / "go").exists():
            time.sleep(0.02)
    jobs.finish(cache, key, "done", message="measured")
    return 0

sys.exit(keeper.keep(cache, key, work))
"""


def kept(
    cache: Path, name: str, *ways: str, retries: int = 2, pause: float = 0.05
) -> tuple[str, subprocess.Popen[bytes]]:
    """A job whose worker ends in one way after the other, and the process that keeps it."""
    key = jobs.open_or_create(cache, "profile", {"model": name, "device": "cpu"}, name).job_key
    assert jobs.reserve(cache, key, terms=Terms(retries=retries))
    command = [sys.executable, "-c", KEEPER, str(cache), key, ",".join(ways), str(pause)]
    with (cache / f"{key}.said").open("w") as said:
        keeper = subprocess.Popen(command, cwd=ROOT, stderr=said, start_new_session=True)
    jobs.hand_over(cache, key, keeper.pid)
    return key, keeper


def row(cache: Path, key: str) -> JobRow:
    return jobs.find(cache, key)


def tries(cache: Path, key: str) -> int:
    return len((cache / f"{key}.tries").read_text())


def test_what_may_pass_is_tried_again_and_the_rest_is_not(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("passes", "stays", "broken")]
    started = [
        kept(folders[0], "passes", "killed", "memory", "done"),
        kept(folders[1], "stays", "killed", "memory", "memory"),
        kept(folders[2], "broken", "broken", "done"),
    ]
    codes = [keeper.wait() for _, keeper in started]
    said = (folders[0] / f"{started[0][0]}.said").read_text()
    rows = [row(cache, key) for cache, (key, _) in zip(folders, started, strict=True)]
    counts = [tries(cache, key) for cache, (key, _) in zip(folders, started, strict=True)]
    assert [one.state for one in rows] == ["done", "failed", "failed"]
    assert counts == [3, 3, 1]
    assert codes == [0, 75, 2]
    assert "its worker was lost; tried again in 0 s (1 of 2)" in said
    assert "memory; tried again in 0 s (2 of 2)" in said


def test_one_job_at_a_time_the_first_goes_on_without_its_keeper_and_cancels_are_final(
    tmp_path: Path,
) -> None:
    first, keeper = kept(tmp_path, "first", "waits")
    wait_for(lambda: row(tmp_path, first).message == "waits")
    later = [kept(tmp_path, name, "done") for name in ("second", "third")]
    second, third = (key for key, _ in later)
    wait_for(lambda: all(row(tmp_path, key).waits_for for key in (second, third)))
    said = f"waits for the CPU behind job {first[:8]}, first"
    wait_for(lambda: row(tmp_path, second).message == said)
    wait_for(lambda: row(tmp_path, third).message == f"{said}; 1 more job goes first")
    # A job that waits is cancelled at once, and its process goes.
    assert cancel(tmp_path, third).state == "cancelled"
    assert later[1][1].wait() == 0
    # Who is killed is the process that keeps the first, not its worker.
    keeper.kill()
    keeper.wait()
    assert row(tmp_path, first).state == "running"
    assert row(tmp_path, first).pid != keeper.pid
    assert row(tmp_path, second).waits_for
    (tmp_path / "go").touch()
    assert later[0][1].wait() == 0
    assert [row(tmp_path, key).state for key in (first, second)] == ["done", "done"]
    (tmp_path / "go").unlink()
    # Killed at somebody's wish, a worker is not replaced.
    stopped, keeper = kept(tmp_path, "stopped", "waits", "done")
    wait_for(lambda: row(tmp_path, stopped).message == "waits")
    worker = row(tmp_path, stopped).pid
    assert worker is not None
    assert os.getsid(worker) == worker
    assert cancel(tmp_path, stopped, now=True).state == "cancelled"
    assert keeper.wait() == 128 + signal.SIGKILL
    assert tries(tmp_path, stopped) == 1
