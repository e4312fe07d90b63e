"""The dashboard starts with what requirements.txt names and nothing more."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]
ROOMS = ("pid_core", "data_cache", "model_runners", "pages")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> set[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return {canonical(re.split(r"[<>=!~\[ ]", line)[0]) for line in lines if line[:1].isalpha()}


def third_party_imports() -> dict[str, Path]:
    """Each package that app.py or a room imports, with a file that does."""
    found: dict[str, Path] = {}
    files = [ROOT / "app.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            found |= {name.split(".")[0]: path for name in names}
    return {
        name: path
        for name, path in found.items()
        if name not in sys.stdlib_module_names and name not in ROOMS
    }


def test_every_import_is_named_in_the_requirements() -> None:
    distributions = packages_distributions()
    named = required()
    unnamed = {
        name: str(path.relative_to(ROOT))
        for name, path in third_party_imports().items()
        if not named & {canonical(one) for one in distributions.get(name, [name])}
    }
    assert not unnamed


def test_every_page_opens_on_an_empty_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "none"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for page in sorted((ROOT / "pages").glob("*.py")):
        app.switch_page(f"pages/{page.name}").run()
        assert not app.exception
        assert app.title
