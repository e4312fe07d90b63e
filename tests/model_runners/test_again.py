"""Commands that measure and estimate again say every setting, and nothing in a name is run."""

import dataclasses
import datetime
import shlex
from argparse import Namespace
from typing import Any

import pytest

from data_cache.estimates import SpectrumRecord
from data_cache.queries import RunRow
from model_runners import patch_requests, quantisation
from model_runners.__main__ import build_parser
from model_runners.again import estimate_commands, profile_command
from model_runners.lens_options import lens_verb
from model_runners.patch_run import PatchOptions, options_of_run
from model_runners.run_again import options_again
from tests.pages.spectra import record

SETTINGS = {"tau": 0.5, "draws": 3, "limit": 40, "marginals": "couple", "pointwise": "half"}


def asked(command: str) -> Namespace:
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "model_runners"]
    return build_parser([words[3]]).parse_args(words[3:])


def run(**config: Any) -> RunRow:
    given = {
        **{"candidates": "letters", "mask_scope": "question", "dtype": "float32", "seed": 7},
        **{"image_size": None, "adapter": None},
    }
    return RunRow(
        run_key="0123456789abcdef",
        model="demo/oracle",
        family="LLaVA-1.5",
        benchmark="mine",
        benchmark_key="0" * 16,
        n_samples=8,
        draws=2,
        layers=(-1, 0, 1),
        config=given | config,
        self_test={},
        environment={"asked": {"benchmark": "/data/of mine.tsv", "split_policy": "random"}},
        ingested_at=datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC),
    )


def of(subset: str, **changes: Any) -> SpectrumRecord:
    return record(subset, settings={**SETTINGS, "seed": 5}, **changes)


def test_a_run_is_asked_for_as_it_was() -> None:
    template = "{question}\n$(touch x)\n{options}"
    found = asked(profile_command(run(candidates="options", template_text=template), cache="/a b"))
    assert (found.model, found.benchmark) == ("demo/oracle", "/data/of mine.tsv")
    assert (found.split_policy, found.mask_scope, found.dtype) == ("random", "question", "float32")
    assert (found.seed, found.draws, found.layers) == (7, 2, True)
    assert (found.answers, found.template, found.cache) == ("options", template, "/a b")


def test_a_run_is_asked_for_as_its_model_was_loaded() -> None:
    about = {"asked": {"benchmark": "mine"}, "device_map": "auto"}
    held = dataclasses.replace(run(quantisation="4bit", remote_code="0f"), environment=about)
    found = asked(profile_command(held))
    assert (found.device_map, found.quantise, found.trust_remote_code) == ("auto", "4bit", True)
    plain = asked(profile_command(run()))
    assert (plain.device_map, plain.quantise, plain.trust_remote_code) == (None, None, False)
    outside = {"python": "/env of mine/python", "adapter": "cambrian:llama_3", "code": None}
    found = asked(profile_command(dataclasses.replace(run(), environment={"worker": outside})))
    assert (found.worker, found.worker_adapter) == ("/env of mine/python", "cambrian:llama_3")
    assert found.worker_code is None


def test_a_lens_is_asked_for_as_the_model_of_its_run_is_held() -> None:
    words = lens_verb("m", run(quantisation="8bit", remote_code="0f").config, "--benchmark b")
    found = asked(f"python -m model_runners {words}")
    assert (found.quantise, found.trust_remote_code) == ("8bit", True)


def test_a_stored_run_is_loaded_as_it_was_and_its_code_is_trusted_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quantisation, "PACKAGE", "torch")  # so that the option is taken
    held = run(quantisation="8bit", remote_code="0f", template="0f")
    again = options_again(held, model="demo/oracle")
    assert (again.quantise, again.trust_remote_code, again.device_map) == ("8bit", False, None)
    asked_for = PatchOptions(
        model="demo/oracle", benchmark="mine", trust_remote_code=True, device_map="auto"
    )
    again = options_of_run(run(template="0f"), asked_for)
    assert (again.trust_remote_code, again.device_map, again.quantise) == (True, "auto", None)
    request = patch_requests.request_of(asked_for)
    assert patch_requests.options_of(request) == asked_for
    usual = patch_requests.request_of(PatchOptions(model="demo/oracle", benchmark="mine"))
    assert not {"device_map", "quantise", "trust_remote_code"} & set(usual), "its key is kept"


def test_what_no_command_measures_is_a_comment() -> None:
    imported = profile_command(run(imported="csv"))
    assert imported.startswith("# demo/oracle was imported")
    adapter = profile_command(run(adapter="0f"))
    assert adapter.startswith("# demo/oracle is an adapter")
    assert "\n" not in imported + adapter


def test_a_spectrum_is_asked_for_with_all_its_settings() -> None:
    (command,) = estimate_commands([of("vision", layer=3)], cache="/c")
    found = asked(command)
    assert (found.model, found.run, found.subset) == ("demo/oracle", "0123456789abcdef", "vision")
    assert {name: getattr(found, name) for name in SETTINGS} == SETTINGS
    assert (found.seed, found.layer, found.by, found.cache) == (5, 3, "none", "/c")


def test_subsets_alike_are_one_command_and_the_pooled_one_another() -> None:
    records = [of(name) for name in ("vision", "synergy", "all")]
    subsets, pooled = map(asked, estimate_commands(records))
    assert (subsets.by, subsets.subset) == ("subset", None)
    assert (pooled.by, pooled.subset) == ("none", None)


def test_all_layers_are_one_command_and_other_settings_another() -> None:
    layers = [of("all", layer=layer) for layer in (-1, 0, 1)]
    unlike = record("all", settings={**SETTINGS, "seed": 6, "bootstrap": 200})
    first, second = map(asked, estimate_commands([*layers, unlike]))
    assert first.layers
    assert (second.seed, second.bootstrap, second.layers) == (6, 200, False)
