"""Commands that measure and estimate again say every setting, and nothing in a name is run."""

import datetime
import shlex
from argparse import Namespace
from typing import Any

from data_cache.estimates import SpectrumRecord
from data_cache.queries import RunRow
from model_runners.__main__ import build_parser
from model_runners.again import estimate_commands, profile_command
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
