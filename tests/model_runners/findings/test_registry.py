"""The table of findings, and what becomes of a finding that nothing is there for."""

import json
from pathlib import Path

from model_runners.commands.findings import lines
from model_runners.findings import FINDINGS, RULE, find, material_of


def test_every_finding_has_an_id_an_address_can_hold_a_claim_and_what_it_needs() -> None:
    ids = [one.id for one in FINDINGS]
    assert len(set(ids)) == len(ids)
    for one in FINDINGS:
        assert one.id.startswith(f"{one.paper.lower()}-"), one.id
        assert one.id.replace("-", "").isalnum(), one.id
        assert one.claim.endswith("."), one.id
        assert one.needs
        assert not one.needs.endswith("."), one.id


def test_all_six_findings_and_those_of_the_other_paper_are_there() -> None:
    numbers = {one.at for one in FINDINGS if one.paper == "Xiu26"}
    assert {f"Finding {number}" for number in range(1, 7)} <= numbers
    assert {one.id for one in FINDINGS if one.paper == "MI26"} == {
        "mi26-synergy",
        "mi26-language",
        "mi26-total",
        "mi26-phases",
        "mi26-late",
        "mi26-pope",
        "mi26-lora",
        "mi26-shift",
        "mi26-vision",
        "mi26-gating",
    }


def test_without_spectra_every_finding_says_what_it_needs() -> None:
    nothing = material_of(Path("nowhere"), [], [], split="test", estimator="certified")
    found = find(nothing)
    assert [one.finding for one in found] == list(FINDINGS)
    for one in found:
        assert one.verdict == "not enough data"
        assert one.why == f"needs {one.finding.needs}"
    rows = json.loads(json.dumps([one.to_dict() for one in found], allow_nan=False))
    text = "\n".join(lines(rows))
    assert "needs omni runs (video, audio and text)" in text
    assert "95 % interval" in RULE
