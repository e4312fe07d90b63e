"""Which NVIDIA GPUs this process may see, what of them is held, and whether torch can use them.

All without importing torch, which takes seconds and, on a GPU, memory that others then count.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FREE_SHARE = 0.05
"""A GPU of whose memory others hold more is not taken unasked."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
CUDA_WHEELS = "https://download.pytorch.org/whl/cu128"
"""Where wheels for CUDA lie on systems for which the package index has none."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """What the driver says of a GPU."""

    identity: str
    """As in CUDA_VISIBLE_DEVICES: a number, or a UUID."""
    uuid: str
    """What names it for every process of this machine."""
    used_share: float
    """Of its memory, 0 to 1."""

    @property
    def is_held(self) -> bool:
        """Whether processes hold so much of it that it is not taken unasked."""
        return self.used_share > FREE_SHARE


@dataclass(frozen=True, kw_only=True)
class TorchBuild:
    """What the installed torch was built for."""

    version: str
    cuda: str | None
    """The version of CUDA (or ROCm), None for a build without."""


def visible_gpus() -> list[Gpu]:
    """Ask the driver for the GPUs that this process may see, in their order; none without one."""
    return gpus_of(_said_by_driver(), os.environ.get(VISIBLE))


def gpus_of(said: str, visible: str | None) -> list[Gpu]:
    r"""Read what nvidia-smi says, and keep what CUDA_VISIBLE_DEVICES names, in its order.

    As CUDA does, the rest is left out from the first name on that means nothing.

    >>> gpus_of("0, GPU-a, 40, 80\n1, GPU-b, 0, 80\n", "1")
    [Gpu(identity='1', uuid='GPU-b', used_share=0.0)]
    """
    found: dict[str, Gpu] = {}
    for line in said.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 4 or not all(part.isdigit() for part in (parts[0], *parts[2:])):
            continue
        share = int(parts[2]) / max(int(parts[3]), 1)
        for identity in parts[:2]:
            found[identity] = Gpu(identity=identity, uuid=parts[1], used_share=share)
    if visible is None:
        return [gpu for identity, gpu in found.items() if identity.isdigit()]
    named: list[Gpu] = []
    for one in (part.strip() for part in visible.split(",")):
        if one.startswith("MIG-") and found:  # a part of a GPU, of which this list says nothing
            named.append(Gpu(identity=one, uuid=one, used_share=0.0))
            continue
        meant = {gpu.uuid: gpu for name, gpu in found.items() if name == one}
        if not meant and one.startswith("GPU-"):
            meant = {gpu.uuid: gpu for gpu in found.values() if gpu.uuid.startswith(one)}
        if len(meant) != 1:
            break
        named += meant.values()
    return named


def torch_build(folder: Path | None = None) -> TorchBuild | None:
    """Read what torch was built for from its own version file; None without torch.

    Parameters
    ----------
    folder
        Of the package; None finds the one that this process would import.
    """
    if folder is None:
        spec = importlib.util.find_spec("torch")
        if spec is None or not spec.submodule_search_locations:
            return None
        folder = Path(next(iter(spec.submodule_search_locations)))
    try:
        text = (folder / "version.py").read_text("utf-8")
    except OSError:
        return None
    said = dict(re.findall(r"^(\w+)[^=\n]*= *'([^']*)'", text, re.MULTILINE))
    return TorchBuild(
        version=said.get("__version__", "unknown"), cuda=said.get("cuda") or said.get("hip")
    )


def unused_gpu(build: TorchBuild | None = None) -> str:
    """Say that a GPU is present which torch cannot use, and what to install; else nothing.

    Parameters
    ----------
    build
        What torch was built for; None looks.
    """
    there = gpus_of(_said_by_driver(), None)
    if not there:
        return ""
    build = torch_build() if build is None else build
    if build is None or build.cuda is not None:
        return ""
    count = "an NVIDIA GPU is" if len(there) == 1 else f"{len(there)} NVIDIA GPUs are"
    return (
        f"{count} present, but torch {build.version} was built without CUDA and runs on the CPU; "
        f"{pip_line(build.version)} installs a build that can use it"
    )


def pip_line(version: str, platform: str = sys.platform) -> str:
    """Return the command that replaces a CPU build of torch by the same version for CUDA.

    >>> pip_line("2.9.0+cpu", "linux")
    'pip install --force-reinstall torch==2.9.0'
    """
    # The index has CUDA builds for Linux under the plain version; of a version that is installed
    # with +cpu behind it, pip believes that it is the same.
    line = f"pip install --force-reinstall torch=={version.partition('+')[0]}"
    return line if platform == "linux" else f"{line} --index-url {CUDA_WHEELS}"


def _said_by_driver() -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    asked = "index,uuid,memory.used,memory.total"
    try:
        return subprocess.run(
            ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
