"""The README tells the truth: its commands exist, its links lead somewhere, its code runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from data_cache.benchmarks import BENCHMARKS
from pid_core import ESTIMATORS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.strip()
    for line in re.findall(r"^    (\S.*)$", README, flags=re.MULTILINE)
    if line.startswith(("make ", "python "))
]


def test_every_make_target_in_it_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"app", "test"} <= named
    assert named <= targets


def test_every_link_and_picture_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_registered_name_occurs_in_it() -> None:
    for name in (*BENCHMARKS, *ESTIMATORS):
        assert f"`{name}`" in README or name in " ".join(COMMANDS), name


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("python ")])
def test_every_command_line_in_it_is_understood(command: str) -> None:
    words = shlex.split(command.split("#")[0])[1:]
    options = {word for word in words if word.startswith("--")}
    verbs = [word for word in words[2:] if not word.startswith("--")][:1]
    result = subprocess.run(
        [sys.executable, *words[:2], *verbs, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in options:
        assert option in result.stdout, option


def test_its_python_example_prints_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    promised = re.findall(r"# ([-\d.]+)$", example.strip())
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == promised
