"""Setting up: an environment that the user brought is looked at and left as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def prepare(requirements: Path, environment: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".ci" / "prepare", requirements, environment / ".stamp"],
        env=os.environ | {"VENV": str(environment), "PYTHON": sys.executable, "TORCH_INDEX": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def own_environment(tmp_path: Path) -> Path:
    """The environment of this test run, under a name that PIDscope did not give."""
    bin_directory = tmp_path / "mine" / "bin"
    bin_directory.mkdir(parents=True)
    wrapper = bin_directory / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    wrapper.chmod(0o755)
    return tmp_path / "mine"


def test_a_complete_environment_is_accepted_in_silence(
    own_environment: Path, tmp_path: Path
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pytest>=1\ntorch==0.0.1  # its torch is taken as it is\n")
    result = prepare(requirements, own_environment)
    assert (result.returncode, result.stdout) == (0, "")


def test_what_is_missing_is_named_with_the_line_that_adds_it(
    own_environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "base.txt").write_text("pytest<1\n")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("-r base.txt\nnot-a-package-of-this-world>=2\n")
    result = prepare(requirements, own_environment)
    assert result.returncode == 2
    assert "pip install 'pytest<1' 'not-a-package-of-this-world>=2'" in result.stdout
    assert not (own_environment / ".stamp").exists()


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pytest\n")
    (tmp_path / "folder").mkdir()
    result = prepare(requirements, tmp_path / "folder")
    assert result.returncode == 2
    assert "leave VENV out" in result.stderr


def test_torchvision_stays_out_of_the_requirements() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert not [line for line in lines if line.startswith("torchvision")]


def test_every_requirement_of_a_user_is_bounded() -> None:
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert "==" in line or "<" in line, line
