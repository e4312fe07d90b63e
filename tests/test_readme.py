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


def verbs() -> dict[tuple[str, ...], set[str]]:
    """Each program and verb that it names, with all options that it gives to it."""
    found: dict[tuple[str, ...], set[str]] = {}
    for command in COMMANDS:
        if command.startswith("python "):
            words = shlex.split(command.split("#")[0])[1:]
            verb = words[2:3] if words[1] == "model_runners" else []
            options = {word for word in words if word.startswith("--")}
            found.setdefault((*words[:2], *verb), set()).update(options)
    return found


@pytest.mark.parametrize("program", verbs(), ids=" ".join)
def test_every_command_line_in_it_is_understood(program: tuple[str, ...]) -> None:
    result = subprocess.run(
        [sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for option in verbs()[program]:
        assert option in result.stdout, option


def test_its_python_example_prints_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    promised = re.findall(r"# ([-\d.]+)$", example.strip())
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == promised
