"""The model card: everything that decides an adapter, and what came of it, as plain text."""

from dataclasses import replace
from pathlib import Path

from data_cache.adapters import Measured
from data_cache.estimates import load
from model_runners.finetuning.card import card
from tests.pages.adapters import build_adapters, write_adapter

COUNTS = {(3.0, "gap"): 4, (0.5, "shortcut"): 3, (1.0, "rest"): 8, (0.0, "rest"): 2}


def test_the_card_lists_base_data_counts_weights_options_and_versions(tmp_path: Path) -> None:
    record = write_adapter(tmp_path, warnings=("2 of 4 were found",))
    text = card(replace(record, base="org/name"), COUNTS, [])
    assert text.startswith('---\nlibrary_name: "peft"\nbase_model: ')
    for said in (
        record.base_weights, "15, of the train split only", "pid: samples that could be fused",
        "| 3 | gap | 4 |", "| 0.5 | shortcut | 3 |", "| 0 | left out | 2 |", "Mean weight 1.4000",
        "| rank | 8 |", "| learning\\_rate | 0.001 |", "| seed | 0 |", "| peft | ",
        "- 2 of 4 were found", "Not measured yet.", "last 20% of the language layers",
    ):  # fmt: skip
        assert said in text, said


def test_once_it_is_measured_the_card_has_before_and_after(tmp_path: Path) -> None:
    (record,) = build_adapters(tmp_path, "pid")
    assert record.base_run_key is not None
    assert record.run_key is not None
    measured = Measured(benchmark="small", base_run_key=record.base_run_key, run_key=record.run_key)
    spectra = load(tmp_path, split="test")
    (row,) = [
        line
        for line in card(replace(record, measured=(measured,)), COUNTS, spectra).splitlines()
        if line.startswith("| small | left |")
    ]
    before, after = (
        next(one for one in spectra if (one.run_key, one.subset) == (key, "left"))
        for key in (record.base_run_key, record.run_key)
    )
    assert f"| {before.synergy:.3f} → {after.synergy:.3f} |" in row


def test_names_are_text_and_never_markdown(tmp_path: Path) -> None:
    record = write_adapter(tmp_path)
    text = card(replace(record, benchmark="a|b <img> [x](y)\n# head"), COUNTS, [])
    assert "| trained on | a\\|b \\<img\\> \\[x\\](y) \\# head |" in text
