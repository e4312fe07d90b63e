"""Differences of two models: the interval of each, what it covers, and which settings differ."""

import dataclasses
import math

import numpy as np
import pytest

from data_cache.paired import PairedRows
from pages.widgets.pair_choices import Compared, Together
from pages.widgets.pair_numbers import (
    Differences,
    differences_of,
    differing_settings,
    samples_needed,
)
from pages.widgets.pair_numbers import table as table_of
from tests.pages.spectra import record


def table(compared: Compared, found: Differences):
    return table_of(Together(records=(compared.a, compared.b)), [found])


def test_a_difference_holds_what_the_intervals_say_beyond_the_bootstrap() -> None:
    flat = dict.fromkeys(("redundancy", "unique_1", "unique_2", "synergy"), (0.0, 0.2))
    compared = Compared(
        a=record("mixed", model="a", atoms=(0.1, 0.1, 0.1, 0.1), interval=flat),
        b=record("mixed", model="b", atoms=(0.2, 0.1, 0.1, 0.1), interval=flat),
    )
    rows = PairedRows(
        group_ids=np.array(list("abcd")),
        atoms_a=np.full((4, 4), 0.1),
        atoms_b=np.full((4, 4), 0.1) + np.array([0.1, 0, 0, 0]),
        is_whole=True,
    )
    found = differences_of(compared, rows).parts
    assert found["redundancy"].value == pytest.approx(0.1)
    assert found["redundancy"].interval == pytest.approx((0.1 - 0.1 * 2**0.5, 0.1 + 0.1 * 2**0.5))
    assert found["total"].interval == pytest.approx((0.1, 0.1))


def test_an_atom_without_an_interval_has_none_in_the_difference() -> None:
    compared = Compared(a=record("mixed", model="a", interval={}), b=record("mixed", model="b"))
    values = np.random.default_rng(0).normal(size=(9, 4))
    rows = PairedRows(
        group_ids=np.arange(9).astype(str), atoms_a=values, atoms_b=values, is_whole=True
    )
    for whole in (True, False):
        found = differences_of(compared, dataclasses.replace(rows, is_whole=whole)).parts
        assert found["synergy"].interval is None
        assert (found["total"].interval is not None) == whole


def influenced(shift: float = 0.0, **rows: object) -> PairedRows:
    """Forty samples, each with what it adds to A and to B."""
    generator = np.random.default_rng(0)
    first = 0.25 + generator.normal(size=(40, 4)) * 0.1
    second = first + shift + generator.normal(size=(40, 4)) * 0.01
    fields: dict[str, object] = {
        "group_ids": np.arange(40).astype(str),
        "atoms_a": first,
        "atoms_b": second,
        "influences_a": first,
        "influences_b": second,
        "is_whole": True,
    }
    return PairedRows(**(fields | rows))  # pyright: ignore[reportArgumentType]


def of_atoms(values: np.ndarray, model: str, **changes: object):
    atoms = values.mean(axis=0).tolist()
    return record("mixed", model=model, atoms=tuple(atoms), **changes)


def test_what_each_sample_adds_to_both_makes_a_difference_sharp() -> None:
    rows = influenced(0.02)
    compared = Compared(a=of_atoms(rows.atoms_a, "a"), b=of_atoms(rows.atoms_b, "b"))
    found = differences_of(compared, rows)
    assert found.exact
    assert found.groups == 40
    assert "what each sample adds" in found.caption
    half = 1.96 * (rows.atoms_b - rows.atoms_a)[:, 3].std(ddof=1) / 40**0.5
    low, high = found.parts["synergy"].interval or (0.0, 0.0)
    assert (high - low) / 2 == pytest.approx(half, rel=1e-3)
    assert found.parts["synergy"].is_clear
    assert found.parts["total"].value == pytest.approx(
        sum(found.parts[atom].value for atom in ("redundancy", "unique_1", "unique_2", "synergy"))
    )
    assert sum(share.value for share in found.shares.values()) == pytest.approx(0.0, abs=1e-9)
    shown = table(compared, found).set_index("")
    assert shown.loc["Synergy (% of total)", "95 % of B - A"] != ""


def test_the_caption_says_how_many_samples_would_tell_the_two_apart() -> None:
    rows = influenced()
    compared = Compared(a=of_atoms(rows.atoms_a, "a"), b=of_atoms(rows.atoms_b, "b"))
    found = differences_of(compared, rows)
    spread = (rows.atoms_b - rows.atoms_a)[:, 3].std(ddof=1)
    assert found.needed == math.ceil((2.8016 * spread / 0.05) ** 2)
    assert f"takes {found.needed:,} samples like these" in samples_needed([found])
    assert f"{found.needed:,} for B and {found.needed:,} for C." in samples_needed([found] * 2)
    apart = differences_of(compared, dataclasses.replace(rows, is_whole=False))
    assert apart.needed is None
    assert samples_needed([apart]) == ""


def test_the_bias_that_two_estimates_do_not_share_widens_the_difference() -> None:
    rows = influenced()
    names = ("redundancy", "unique_1", "unique_2", "synergy", "total")

    def measured(bias: float) -> dict[str, object]:
        known = dict.fromkeys(names, bias)
        return {"uncertainty": {"bias": known, "deviation": dict.fromkeys(names, 0.01)}}

    same = Compared(
        a=of_atoms(rows.atoms_a, "a", diagnostics=measured(0.05)),
        b=of_atoms(rows.atoms_b, "b", diagnostics=measured(0.05)),
    )
    other = dataclasses.replace(same, b=of_atoms(rows.atoms_b, "b", diagnostics=measured(0.0)))
    apart = dataclasses.replace(rows, is_whole=False)

    def width(compared: Compared, given: PairedRows) -> float:
        low, high = differences_of(compared, given).parts["synergy"].interval or (0.0, 0.0)
        return high - low

    assert width(other, rows) == pytest.approx(width(same, rows) + 0.05)
    assert width(same, apart) == pytest.approx(2 * 1.96 * 0.01 * 2**0.5, rel=1e-3)
    assert width(other, apart) == pytest.approx(width(same, apart) + 0.05)


def test_without_influences_on_either_side_the_older_rule_holds() -> None:
    rows = influenced(influences_b=None)
    compared = Compared(a=of_atoms(rows.atoms_a, "a"), b=of_atoms(rows.atoms_b, "b"))
    found = differences_of(compared, rows)
    assert not found.exact
    assert not found.shares
    assert "holds both fitted decompositions fixed" in " ".join(found.caption.split())


def test_a_share_of_nothing_is_not_compared() -> None:
    rows = influenced()
    compared = Compared(
        a=record("mixed", model="a", atoms=(0.0, 0.0, 0.0, 0.0)), b=of_atoms(rows.atoms_b, "b")
    )
    found = differences_of(compared, rows)
    assert found.shares["synergy"].interval is None
    assert not any("% of total" in name for name in table(compared, found)[""])


def test_asking_for_more_evidence_is_no_other_question() -> None:
    compared = Compared(
        a=record(model="a", settings={"tau": 0.3, "null": 20, "bootstrap": 200}),
        b=record(model="b", settings={"tau": 0.3}),
    )
    assert differing_settings(compared) == []


def test_settings_that_only_one_has_differ() -> None:
    compared = Compared(
        a=record(model="a", settings={"tau": 0.3}),
        b=record(model="b", settings={"tau": 0.3, "mask_scope": "question"}, candidates=2),
    )
    assert differing_settings(compared) == ["mask scope (unset and question)", "options (4 and 2)"]
