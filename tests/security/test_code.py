"""Nothing that comes from elsewhere runs as code, unless a person asked for that code by name.

`docs/security.md` has the table of ways in; each way that could run code has a test here.
"""

import ast
import json
import pickle
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.errors import CacheError, DataError
from data_cache.formats.embedded import list_of
from model_runners.benchmark_choice import arguments_of, asked_in
from model_runners.errors import BadOption, RunnerError
from model_runners.loading import load
from model_runners.masking import NoiseStatistics
from model_runners.models import resolve_model
from model_runners.plans.plan_file import RUNS_CODE, read_plan
from model_runners.prompt_templates import filled
from model_runners.registry import read_registry
from tests.security.attacks import MODELS

ROOT = Path(__file__).parents[2]
ROOMS = ("pid_core", "data_cache", "model_runners", "pages")


class Bomb:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, (f"open({str(self.mark)!r}, 'w').close()",))


def demo_model(folder: Path) -> Path:
    from data_cache.shipped import DEMO_DIRECTORY

    found = sorted(DEMO_DIRECTORY.rglob("model.safetensors"))[0].parent
    shutil.copytree(found, folder)
    return folder


def test_the_bomb_of_these_tests_goes_off(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "gone off")))
    assert (tmp_path / "gone off").exists()


def test_weights_in_a_pickle_are_refused_and_never_opened(tmp_path: Path) -> None:
    model, mark = demo_model(tmp_path / "model"), tmp_path / "gone off"
    (model / "model.safetensors").unlink()
    for name in ("pytorch_model.bin", "model.pt", "pytorch_model-00001-of-00001.bin"):
        (model / name).write_bytes(pickle.dumps(Bomb(mark)))
        with pytest.raises(RunnerError):
            load(str(model), device="cpu")
    assert not mark.exists()


def test_a_pickle_beside_safetensors_is_passed_over(tmp_path: Path) -> None:
    model, mark = demo_model(tmp_path / "model"), tmp_path / "gone off"
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "adapter_model.bin"):
        (model / name).write_bytes(pickle.dumps(Bomb(mark)))
    assert load(str(model), device="cpu").dtype
    assert not mark.exists()


def test_statistics_and_features_are_never_unpickled(tmp_path: Path) -> None:
    mark, path = tmp_path / "gone off", tmp_path / "statistics.npz"
    bomb = np.array([Bomb(mark)], dtype=object)
    np.savez(path, mean=bomb, std=bomb, allow_pickle=True)
    with pytest.raises((DataError, RunnerError, ValueError, KeyError)):
        NoiseStatistics.load(path)
    assert not mark.exists()


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    mark, path = tmp_path / "gone off", tmp_path / "file.yaml"
    attack = f"models: !!python/object/apply:os.system ['touch {mark}']\nbenchmarks: [digits_vqa]\n"
    path.write_text(attack)
    with pytest.raises(BadOption, match="is no YAML"):
        read_plan(path)
    found = read_registry(path, origin="own")
    assert found.problems
    assert not found.entries
    assert not mark.exists()


@pytest.mark.parametrize("name", RUNS_CODE)
def test_a_plan_runs_code_only_where_the_person_who_runs_it_says_so(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.yaml"
    value = True if name == "trust_remote_code" else str(tmp_path / "python")
    content = {"models": ["demo/oracle"], "benchmarks": ["digits_vqa"], "settings": [{name: value}]}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BadOption, match="--trust-remote-code"):
        read_plan(path)
    assert getattr(read_plan(path, trusted=True).cells[0], name) == value


def test_a_run_that_came_from_elsewhere_cannot_name_a_program() -> None:
    evil = {
        **{"benchmark": "pope", "frames": 8, "split_policy": ["group"], "max_bad_rows": "1; rm"},
        **{"worker": "/tmp/python", "worker_adapter": "/tmp/a.py", "trust_remote_code": True},
        **{"x $(touch y)": "z", "model": "evil/model", "device": "cpu"},
    }
    assert asked_in({"asked": evil}, "mine") == {"benchmark": "pope", "frames": 8}
    assert arguments_of("mine", {"asked": evil}) == "--benchmark pope --frames 8"
    hostile = {"asked": {"benchmark": "a; rm -rf ~", "data": "$(touch x)\n"}}
    assert arguments_of("mine", hostile) == "--benchmark 'a; rm -rf ~' --data '$(touch x)\n'"
    for other in (None, [], "text", {"asked": "text"}, {"asked": [1]}):
        environment = other if isinstance(other, dict) else {"asked": other}
        assert asked_in(environment, "mine") == {"benchmark": "mine"}


@pytest.mark.parametrize("name", MODELS)
def test_a_name_that_is_no_model_is_one_sentence_and_asks_nobody(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it asked the network"))
    with pytest.raises(RunnerError):
        resolve_model(name)
    assert not list(tmp_path.iterdir())


def test_a_template_fills_in_text_and_looks_nothing_up() -> None:
    attack = "{question.__class__.__mro__} {0} {options!r} {{7*7}} %(question)s ${question}"
    text = filled("{question}", question=attack, options=[])
    assert text[0] == attack
    kept = filled("{question.__class__.__mro__} {question}", question="q", options=[])
    assert kept[0] == "{question.__class__.__mro__} q"


def test_lists_in_cells_are_read_and_never_evaluated(tmp_path: Path) -> None:
    mark = tmp_path / "gone off"
    for cell in (
        f"[open({str(mark)!r}, 'w')]",
        f"[__import__('os').system('touch {mark}')]",
        "[" * 100_000 + "]" * 100_000,
        "['a' * 10**9]",
    ):
        assert list_of(cell) == [cell]
    assert not mark.exists()


def test_a_benchmark_that_is_a_pickle_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "gone off"
    for name in ("x.pkl", "x.tsv", "x.jsonl", "x.json", "x.csv"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Bomb(mark)))
        with pytest.raises(DataError):
            load_benchmark(BenchmarkChoice(name=str(path)), cache=tmp_path / "cache")
    assert not mark.exists()


def test_an_imported_file_that_is_a_pickle_is_refused(tmp_path: Path) -> None:
    from data_cache.imported import ImportOptions, import_predictions

    mark = tmp_path / "gone off"
    for name in ("x.pkl", "x.parquet", "x.json", "x.csv"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Bomb(mark)))
        with pytest.raises((DataError, CacheError)):
            import_predictions(
                tmp_path / "cache", ImportOptions(files=(path,), model="m", benchmark="b")
            )
    assert not mark.exists()


FORBIDDEN = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
UNPICKLING = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


SUSPECT = re.compile(
    r"\b(eval|exec|compile|__import__|pickle|cPickle|dill|joblib|shelve|marshal|cloudpickle|shell|"
    r"torch\.load|np\.load|yaml|system|popen|trust_remote_code)\b"
)


def suspects() -> Iterator[tuple[str, ast.AST]]:
    """The nodes of the files in which a word of `SUSPECT` stands at all."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if SUSPECT.search(text := path.read_text()):
                for node in ast.walk(ast.parse(text)):
                    yield path.relative_to(ROOT).as_posix(), node


def test_no_room_evaluates_unpickles_or_trusts_anything_by_itself() -> None:
    """`trust_remote_code` is False or the switch that a person gave, in one place a True."""
    found: list[str] = []
    trusting: list[str] = []
    for path, node in suspects():
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name.split(".")[0] for alias in node.names]
            module = (getattr(node, "module", None) or "").split(".")[0]
            found += [where for name in (*names, module) if name in UNPICKLING]
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
            trusting += [path] if ast.unparse(node.value) == "True" else []
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {one.arg: ast.unparse(one.value) for one in node.keywords}
        if (
            called in FORBIDDEN
            or (called == "torch.load" and given.get("weights_only") != "True")
            or (called in {"np.load", "numpy.load"} and given.get("allow_pickle") == "True")
            or called
            in {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
            or given.get("shell") == "True"
        ):
            found.append(f"{where}: {called}")
    assert not found
    assert trusting == ["model_runners/processors.py"]
    source = (ROOT / trusting[0]).read_text()
    before = source[: source.index("trust_remote_code=True")].splitlines()
    assert before[-2].strip() == "if trusted:"


def test_a_job_of_a_model_with_code_is_refused_unasked(tmp_path: Path) -> None:
    model, mark = demo_model(tmp_path / "model"), tmp_path / "gone off"
    config = json.loads((model / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    config["model_type"] = "evil"
    (model / "config.json").write_text(json.dumps(config))
    (model / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    with pytest.raises(RunnerError, match="code"):
        load(str(model), device="cpu")
    assert not mark.exists()
