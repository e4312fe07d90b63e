"""Imports go one way, pages -> model_runners -> data_cache -> pid_core, and stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("pid_core", "data_cache", "model_runners", "pages")
"""Each may import those to its left, and itself."""

OUTSIDE = {
    "pid_core": {"streamlit", "duckdb", "transformers", "plotly", "pandas", "pyarrow", "peft"},
    "data_cache": {"streamlit", "plotly", "transformers", "peft"},
    "model_runners": {"streamlit", "plotly"},
    "pages": {"torch", "transformers", "duckdb"},
}
"""Other people's packages that have no business in a room, inside functions either."""

HEAVY = {
    "pid_core": ("streamlit", "duckdb", "transformers", "plotly", "pandas"),
    "data_cache": ("streamlit", "torch", "transformers", "plotly"),
    "model_runners": ("streamlit", "torch", "transformers", "plotly"),
    # What a page reads results through that are computed already.
    "model_runners.findings.kept": ("scipy", "torch", "sklearn"),
    "model_runners.kept_courses": ("scipy", "torch", "sklearn"),
}


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", ORDER)
def test_a_room_imports_only_rooms_to_its_right(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"{room} has no Python files"
    forbidden = set(ORDER[ORDER.index(room) + 1 :]) | OUTSIDE[room] | {"tests", "app"}
    wrong = {
        str(path.relative_to(ROOT)): sorted(bad)
        for path in files
        if (bad := imported_packages(path) & forbidden)
    }
    assert not wrong


def test_only_page_scripts_lie_directly_in_pages() -> None:
    for path in (ROOT / "pages").glob("*.py"):
        assert path.name != "__init__.py"
        called = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        }
        assert "st.title" in called, f"{path.name} draws no page"


def test_figures_know_nothing_of_streamlit() -> None:
    for path in (ROOT / "pages" / "figures").rglob("*.py"):
        assert "streamlit" not in imported_packages(path), path


@pytest.mark.parametrize("package", HEAVY)
def test_importing_a_room_stays_light(package: str) -> None:
    code = f"import sys, {package}; print(*sorted(set({HEAVY[package]!r}) & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
