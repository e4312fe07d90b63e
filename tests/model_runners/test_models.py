"""Names of models: the table, folders, hub ids, and what is said where nothing fits."""

from pathlib import Path

import pytest

from model_runners.errors import ModelNotFound, UnsupportedModel
from model_runners.families import FAMILIES, load_family
from model_runners.models import MODELS, resolve_model


def test_every_family_in_the_table_loads_and_has_its_own_type() -> None:
    for model_type in FAMILIES:
        assert load_family(model_type).model_type == model_type


def test_every_model_of_the_table_belongs_to_a_family_of_the_table() -> None:
    names = {load_family(model_type).name for model_type in FAMILIES}
    assert {entry.family for entry in MODELS.values()} <= names


def test_a_near_miss_is_answered_with_the_name_and_the_list() -> None:
    with pytest.raises(ModelNotFound, match=r"did you mean 'demo/oracle'.*llava-1\.5-7b"):
        resolve_model("demo/oracel")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"holds no model: it has no config\.json"):
        resolve_model(str(tmp_path))


def test_a_folder_with_a_model_is_taken_by_its_name(untrained: Path) -> None:
    source = resolve_model(str(untrained))
    assert (source.name, source.is_local) == ("untrained", True)


def test_a_hub_id_is_left_to_the_hub() -> None:
    source = resolve_model("some-lab/some-model-7b")
    assert (source.location, source.is_local) == ("some-lab/some-model-7b", False)


@pytest.mark.parametrize("name", ["~no-such-person/model", "a" * 5000])
def test_what_the_system_refuses_to_look_for_is_a_sentence(name: str) -> None:
    with pytest.raises(ModelNotFound, match="cannot be looked for") as caught:
        resolve_model(name)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "a b", "x;rm -rf", "", "a/..", "a--b/c", "a/b.git", "a/b\n"]
)
def test_hostile_names_are_only_names(
    hostile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound):
        resolve_model(hostile)


def test_an_unknown_model_type_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedModel, match=r"'bert'.*known types: llava"):
        load_family("bert")
