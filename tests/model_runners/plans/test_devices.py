"""Cells go to GPUs that are visible and free, else to the CPU."""

import pytest

from model_runners.errors import UnsupportedModel
from model_runners.gpus import VISIBLE, Gpu, gpus_of
from model_runners.places import DEVICES
from model_runners.plans.devices import slots

SAID = "0, GPU-aa, 1200, 81559\n1, GPU-bb, 60000, 81559\n2, GPU-cc, 3, 81559\n"


def test_without_a_gpu_there_is_one_place_on_the_cpu() -> None:
    (place,), left_out = slots([], gpus=[])
    assert (place.name, place.device, left_out) == ("CPU", "cpu", [])


def test_a_gpu_that_others_hold_is_left_out_unless_asked_for() -> None:
    gpus = gpus_of(SAID, None)
    free, left_out = slots([], gpus=gpus)
    assert [place.name for place in free] == ["GPU 0", "GPU 2"]
    assert left_out == [
        "GPU 1 is left out: other processes hold 74% of its memory (--busy-devices takes it all "
        "the same)"
    ]
    assert len(slots([], gpus=gpus, busy=True)[0]) == 3
    with pytest.raises(UnsupportedModel, match="no device is free: GPU 1"):
        slots(["1"], gpus=gpus)


def test_numbers_count_what_is_visible() -> None:
    gpus = gpus_of(SAID, "GPU-cc,0")
    assert gpus == [
        Gpu(identity="GPU-cc", uuid="GPU-cc", used_share=3 / 81559),
        Gpu(identity="0", uuid="GPU-aa", used_share=1200 / 81559),
    ]
    (place,), _ = slots(["0"], gpus=gpus)
    assert place.environment == {VISIBLE: "GPU-cc", DEVICES: "0"}
    with pytest.raises(UnsupportedModel, match="no GPU 2: 2 GPUs are visible"):
        slots(["2"], gpus=gpus)
    assert slots(["0", "0"], gpus=gpus)[0][1].environment == {VISIBLE: "GPU-cc", DEVICES: "0,0"}


def test_two_places_on_the_cpu_share_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    found, _ = slots(["cpu", "cpu"], gpus=[])
    assert [place.name for place in found] == ["CPU (1)", "CPU (2)"]
    assert all(place.environment["OMP_NUM_THREADS"] == "4" for place in found)
