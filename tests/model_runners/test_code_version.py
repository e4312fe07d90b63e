"""Which code computes a result: its own source, that of what it imports, and no other."""

import re
import subprocess
import sys
from pathlib import Path

from model_runners.code_version import PACKAGES, ROOT, code_version, sources


def names(module: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in sources([module])}


def test_imports_inside_functions_and_of_packages_count() -> None:
    found = names("model_runners.kept_courses")
    assert {"model_runners/patch_statistics.py", "pid_core/phases.py"} <= found  # imported late
    assert "model_runners/__init__.py" in found
    assert "pid_core/segments.py" in found  # by pid_core.phases
    assert not any(name.startswith(("pages/", "model_runners/training")) for name in found)


def test_everything_that_python_loads_of_ours_is_a_source() -> None:
    """Against what really happens: the modules that an import leaves in `sys.modules`."""
    module = "model_runners.layer_statistics"
    said = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.split()
    loaded = [one for one in said if re.match(r"(pid_core|data_cache|model_runners)\b", one)]
    known = {path.with_suffix("").as_posix() for path in sources([module])}
    for one in loaded:
        path = Path(ROOT, *one.split("."))
        assert path.as_posix() in known or (path / "__init__").as_posix() in known, one


def test_a_changed_source_is_another_version(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "pid_core" / "near.py").write_text("from pid_core import (\n    far,\n)\n")
    (tmp_path / "pid_core" / "far.py").write_text("HALF = 0.5\n")
    (tmp_path / "pid_core" / "aside.py").write_text("")
    (tmp_path / "numbers.json").write_text("[1]")

    def version() -> str:
        code_version.cache_clear()  # as in another process
        return code_version("pid_core.near", data=("numbers.json",), root=tmp_path)

    first = version()
    assert version() == first
    (tmp_path / "pid_core" / "aside.py").write_text("x = 1\n")
    assert version() == first
    (tmp_path / "pid_core" / "far.py").write_text("HALF = 0.4\n")
    second = version()
    assert second != first
    (tmp_path / "numbers.json").write_text("[2]")
    assert version() not in {first, second}


def test_without_sources_no_other_process_has_the_version(tmp_path: Path) -> None:
    one = code_version("pid_core.phases", root=tmp_path)
    assert code_version("pid_core.phases", root=tmp_path) == one
    code_version.cache_clear()
    assert code_version("pid_core.phases", root=tmp_path) != one
