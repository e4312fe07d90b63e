"""What the driver says of GPUs, asked through a driver's program that is really run."""

from pathlib import Path

import pytest

from model_runners.commands.doctor import examine
from model_runners.gpus import (
    VISIBLE,
    Gpu,
    TorchBuild,
    gpus_of,
    pip_line,
    torch_build,
    unused_gpu,
    visible_gpus,
)

SAID = "0, GPU-aa, 1200, 81559\n1, GPU-bb, 60000, 81559\n2, GPU-cc, 3, 81559\n"
CPU_BUILD = TorchBuild(version="2.9.0+cpu", cuda=None)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with three GPUs, as far as its driver's program says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        'test "$1" = --query-gpu=index,uuid,memory.used,memory.total || exit 9\n'
        f"cat <<END\n{SAID}END\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv(VISIBLE, raising=False)


def test_the_driver_s_program_is_asked(driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(gpu.identity, gpu.is_held) for gpu in visible_gpus()] == [
        ("0", False),
        ("1", True),
        ("2", False),
    ]
    monkeypatch.setenv(VISIBLE, "2,0")
    assert [gpu.uuid for gpu in visible_gpus()] == ["GPU-cc", "GPU-aa"]


def test_a_gpu_that_torch_cannot_use_is_told_with_the_line_that_mends_it(
    driver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = unused_gpu(CPU_BUILD)
    assert said.startswith("3 NVIDIA GPUs are present, but torch 2.9.0+cpu was built without CUDA")
    assert pip_line("2.9.0+cpu") in said
    monkeypatch.setenv(VISIBLE, "")  # hidden, but there
    assert unused_gpu(CPU_BUILD) == said
    assert unused_gpu(TorchBuild(version="2.9.0", cuda="12.8")) == ""


def test_without_a_driver_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert unused_gpu(CPU_BUILD) == ""
    assert visible_gpus() == []


def test_doctor_says_it(driver: None, tmp_path: Path) -> None:
    build = torch_build()
    if build is None or build.cuda is not None:
        pytest.skip("needs a torch without CUDA, as here it is not")
    said = examine(tmp_path)["devices"]
    assert said == f"cpu; {unused_gpu()}"
    assert f"pip install --force-reinstall torch=={build.version.partition('+')[0]}" in said


def test_the_build_is_read_from_torch_s_own_file(tmp_path: Path) -> None:
    assert torch_build(tmp_path) is None
    for hip, cuda, found in (("None", "'12.8'", "12.8"), ("'6.4'", "None", "6.4"), ("None",) * 3):
        (tmp_path / "version.py").write_text(
            f"__version__ = '2.9.0+x'\ndebug = False\ncuda: Optional[str] = {cuda}\n"
            f"git_version = 'ab'\nhip: Optional[str] = {hip}\n"
        )
        wanted = None if found == "None" else found
        assert torch_build(tmp_path) == TorchBuild(version="2.9.0+x", cuda=wanted)
    import torch

    here = torch_build()
    assert here is not None
    assert here.version == torch.__version__
    assert (here.cuda is None) == (torch.version.cuda is None and torch.version.hip is None)


def test_names_mean_what_they_mean_to_cuda() -> None:
    def uuids(visible: str) -> list[str]:
        return [gpu.uuid for gpu in gpus_of(SAID, visible)]

    assert uuids("") == []
    assert uuids("-1,0") == []  # what follows a name that means nothing is hidden, too
    assert uuids("1,7,0") == ["GPU-bb"]
    assert uuids("GPU-b") == ["GPU-bb"]
    assert uuids("GPU-") == []  # all three begin so
    assert uuids("MIG-1") == ["MIG-1"]
    assert gpus_of("", "MIG-1") == []
    assert gpus_of(SAID, None)[2] == Gpu(identity="2", uuid="GPU-cc", used_share=3 / 81559)
