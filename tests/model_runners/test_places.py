"""Which devices would do for a job, and what its process is told of them."""

import sys

import pytest

from data_cache.jobs import Terms
from model_runners.errors import BadOption
from model_runners.gpus import VISIBLE, TorchBuild, gpus_of
from model_runners.places import DEVICES, devices_from, places_for

GPUS = gpus_of("0, GPU-aa, 10, 100\n1, GPU-bb, 60, 100\n2, GPU-cc, 0, 100\n", "2,1,0")
CUDA = TorchBuild(version="2.9.0", cuda="12.8")
NOTHING = Terms()


@pytest.fixture(autouse=True)
def before_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the process of a job that waits, which has not imported torch."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    for name in (DEVICES, "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_any_visible_gpu_will_do_and_the_process_sees_that_one_only() -> None:
    places = places_for({"device": "auto"}, NOTHING, gpus=GPUS, build=CUDA)
    assert places is not None
    assert places.ask.places == {"GPU-cc": 1, "GPU-bb": 1, "GPU-aa": 1}
    assert places.ask.names == ("GPU 0", "GPU 1", "GPU 2")
    assert places.ask.foreign == {"GPU-bb", "GPU-aa"}
    assert places.environment(["GPU-aa"]) == {VISIBLE: "GPU-aa"}


def test_devices_choose_among_them_and_may_take_what_others_hold() -> None:
    terms = Terms(devices=("0", "1", "1"), busy_devices=True)
    places = places_for({"device": "auto"}, terms, gpus=GPUS, build=CUDA)
    assert places is not None
    assert (places.ask.places, places.ask.foreign) == ({"GPU-cc": 1, "GPU-bb": 2}, frozenset())


def test_a_gpu_by_its_number_is_that_one_and_sees_the_others() -> None:
    places = places_for({"device": "cuda:1"}, NOTHING, gpus=GPUS, build=CUDA)
    assert places is not None
    assert places.ask.places == {"GPU-bb": 1}
    assert places.environment(["GPU-bb"]) == {}
    # One that is not there is told so when the model is loaded.
    assert places_for({"device": "cuda:3"}, NOTHING, gpus=GPUS, build=CUDA) is None
    assert places_for({"device": "cuda"}, NOTHING, gpus=[], build=CUDA) is None
    assert places_for({"device": "tpu"}, NOTHING, gpus=GPUS, build=CUDA) is None


def test_a_spread_model_wants_all_of_them() -> None:
    request = {"device": "auto", "device_map": "auto"}
    places = places_for(request, Terms(devices=("0", "2")), gpus=GPUS, build=CUDA)
    assert places is not None
    assert places.ask.together
    assert places.environment(["GPU-cc", "GPU-aa"]) == {VISIBLE: "GPU-cc,GPU-aa"}


@pytest.mark.parametrize(
    ("gpus", "build"), [([], CUDA), (GPUS, TorchBuild(version="2.9.0+cpu", cuda=None))]
)
def test_the_cpu_is_one_place_where_no_gpu_can_be_used(gpus: list, build: TorchBuild) -> None:
    places = places_for({"device": "auto"}, NOTHING, gpus=gpus, build=build)
    assert places is not None
    assert (places.ask.places, places.ask.names) == ({"cpu": 1}, ("the CPU",))
    assert places.environment(["cpu"]) == {}


def test_a_worker_of_its_own_has_a_torch_of_its_own() -> None:
    build = TorchBuild(version="2.9.0+cpu", cuda=None)
    request = {"device": "auto", "worker": "/envs/x/bin/python"}
    places = places_for(request, NOTHING, gpus=GPUS, build=build)
    assert places is not None
    assert "GPU-cc" in places.ask.places


def test_the_variable_names_places_for_jobs_that_were_given_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(DEVICES, "cpu,cpu")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    places = places_for({"device": "auto"}, NOTHING, gpus=GPUS, build=CUDA)
    assert places is not None
    assert places.ask.places == {"cpu": 2}
    assert places.environment(["cpu"]) == {VISIBLE: "", "OMP_NUM_THREADS": "4"}
    monkeypatch.setenv(DEVICES, "cpu;1")
    with pytest.raises(BadOption, match="--devices 0,1"):
        places_for({"device": "auto"}, NOTHING)
    assert devices_from(" 1 , cpu ") == ("1", "cpu")
