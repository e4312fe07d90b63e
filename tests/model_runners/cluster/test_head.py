"""A real cluster of several nodes on this machine makes the run that one process makes."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_cache.estimates import load
from data_cache.location import jobs_path, run_directory
from model_runners.__main__ import main
from model_runners.cluster.task import scratch
from tests.data_cache.test_ingest import content
from tests.model_runners.small_jobs import chunk_bytes, command_line, options

PATIENCE = 240


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that does no work and two nodes with a place each; processes of this machine."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def on_ray(cluster: Any, *more: str) -> list[str]:
    return ["--engine", "ray", "--ray-address", cluster.address, *more]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own, about files of its that it leaves to the end
@pytest.mark.parametrize("through", ["folder", "address"])
def test_a_node_lost_in_the_middle_changes_nothing(
    cluster: Any, through: str, tmp_path: Path
) -> None:
    whole, here, away = tmp_path / "whole", tmp_path / "here", tmp_path / "away" / "spool"
    chosen = options(Path("demo/oracle"), limit=384, draws=2, batch_size=32)
    assert main(command_line("profile", chosen, whole)) == 0
    (key,) = [one.name for one in (whole / "spool").iterdir() if one.name != "samples"]
    place = [] if through == "folder" else ["--ray-spool", f"file://{away}"]
    watched = here if through == "folder" else scratch(f"file://{away}")
    lost = next(iter(cluster.worker_nodes))
    killed: list[int] = []

    def kill() -> None:
        """Take a node away as soon as the first chunks are there, and before the last is."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            done = len(list(run_directory(watched, key).glob("*.parquet")))
            if done >= 2:
                killed.append(done)
                cluster.remove_node(lost, allow_graceful=False)
                return
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    line = [*command_line("profile", chosen, here), *on_ray(cluster, *place, "--ray-tasks", "4")]
    assert main(line) == 0
    killer.join()
    assert killed, "no node was lost"
    assert killed[0] < 6, "the node was lost after the last chunk"
    assert chunk_bytes(here, key) == chunk_bytes(whole, key)
    assert len(chunk_bytes(here, key)) == 6
    for table in ("predictions", "samples", "features"):
        assert content(here)[table] == content(whole)[table]
    of = [{(one.subset, one.synergy) for one in load(cache)} for cache in (here, whole)]
    assert of[0] == of[1] != set()
    assert not jobs_path(here).exists(), "there is no row of a job"
    if through == "address":
        shutil.rmtree(watched)  # what a node keeps, for the next task of this run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_what_a_cluster_cannot_do_is_one_sentence(
    cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = options(Path("demo/oracle"))
    line = command_line("profile", chosen, tmp_path / "cache")
    assert main([*line, *on_ray(cluster, "--ray-gpus", "1")]) == 2
    assert "no node of the cluster has 1 CPUs and 1 GPUs" in capsys.readouterr().err
    assert main([*line, *on_ray(cluster), "--detach"]) == 2
    assert "leave out --detach" in capsys.readouterr().err
