"""Names of models: the table, folders, hub ids, and what is said where nothing fits."""

from pathlib import Path

import pytest

from data_cache.location import adapter_directory
from model_runners.cost import known_weights
from model_runners.errors import ModelNotFound, UnsupportedModel
from model_runners.families import FAMILIES, PART_OF, load_family
from model_runners.models import MODELS, lasting_name, resolve_model, runnable
from model_runners.registry import ENVIRONMENT_VARIABLE, with_models_of
from tests.pages.adapters import write_adapter


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a person's own models will be; not those of whoever runs the tests."""
    path = tmp_path / "models.yaml"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    path.write_text("")
    return path


def test_every_family_in_the_table_loads_and_has_its_own_type() -> None:
    for model_type in FAMILIES:
        assert load_family(model_type).model_type == model_type


def test_what_can_run_here_belongs_to_a_family_of_the_table() -> None:
    names = {load_family(model_type).name for model_type in FAMILIES}
    demo = {MODELS[name].family for name in runnable() if name.startswith("demo/")}
    assert demo <= names
    assert {MODELS[name].model_type for name in runnable()} <= {*FAMILIES, *PART_OF}


def test_what_ships_comes_first_and_the_old_names_still_work() -> None:
    assert next(iter(MODELS)) == "demo/oracle"
    for name in ("llava-1.5-7b", "llava-1.5-13b", "qwen2.5-vl-3b", "qwen2.5-vl-7b"):
        source = resolve_model(name)
        assert (source.name, source.is_local) == (name, False)
    assert resolve_model("llava-1.5-7b").location == "llava-hf/llava-1.5-7b-hf"


def test_a_near_miss_is_answered_with_the_name_and_where_the_list_is() -> None:
    with pytest.raises(ModelNotFound, match=r"did you mean 'demo/oracle'.*list models"):
        resolve_model("demo/oracel")


def test_a_model_without_a_route_is_refused_with_its_reason() -> None:
    with pytest.raises(UnsupportedModel, match=r"cambrian-8b has no route yet: .*authors' package"):
        resolve_model("cambrian-8b")
    with pytest.raises(UnsupportedModel, match=r"vita-1\.5 has no route yet"):
        resolve_model("VITA-MLLM/VITA-1.5")


def test_a_paper_s_checkpoint_is_answered_with_the_native_one() -> None:
    with pytest.raises(UnsupportedModel, match=r"OpenGVLab/InternVL3-8B-hf.*use the name internvl"):
        resolve_model("OpenGVLab/InternVL3-8B")


def test_a_paper_s_type_without_a_family_file_is_refused_before_any_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "qwen2.5-omni-3b" in runnable()
    monkeypatch.delitem(FAMILIES, "qwen2_5_omni_thinker")
    for name in ("qwen2.5-omni-3b", "Qwen/Qwen2.5-Omni-3B"):
        with pytest.raises(UnsupportedModel, match=r"natively .* no family file for type 'qwen2_5"):
            resolve_model(name)
    assert "qwen2.5-omni-3b" in MODELS
    assert "qwen2.5-omni-3b" not in runnable()


def test_a_type_of_one_s_own_may_follow_the_common_idiom(own: Path) -> None:
    own.write_text("later:\n  load_id: some-lab/later-7b\n  model_type: later_vl\n")
    assert resolve_model("later").location == "some-lab/later-7b"
    assert "later" in runnable()


class TestOwnModels:
    def test_a_hub_id_is_enough(self, own: Path) -> None:
        own.write_text("mine:\n  load_id: some-lab/mine-7b\n")
        assert resolve_model("mine").location == "some-lab/mine-7b"
        assert "mine" in runnable()
        assert known_weights("mine") is None, "its size is not known before it is there"

    def test_a_folder_is_found_from_where_the_file_lies(self, own: Path, untrained: Path) -> None:
        (own.parent / "weights").symlink_to(untrained)
        own.write_text("mine:\n  load_id: ./weights\n")
        source = resolve_model("mine")
        assert (source.name, source.location) == ("mine", str(untrained.resolve()))
        assert lasting_name("mine") == "mine"

    def test_a_folder_that_is_gone_names_the_file(self, own: Path) -> None:
        own.write_text("mine:\n  load_id: ./gone\n")
        with pytest.raises(ModelNotFound, match=r"missing from .*gone; mend its load_id in .*yaml"):
            resolve_model("mine")

    def test_an_own_entry_goes_before_one_of_the_papers(self, own: Path) -> None:
        own.write_text("llava-1.5-7b:\n  load_id: some-lab/other\n")
        assert resolve_model("llava-1.5-7b").location == "some-lab/other"
        own.write_text("")
        assert resolve_model("llava-1.5-7b").location == "llava-hf/llava-1.5-7b-hf"

    def test_a_broken_file_keeps_the_table_and_refuses_what_it_may_mean(self, own: Path) -> None:
        own.write_text("mine: {load_id: some-lab/mine\n")
        assert "llava-1.5-7b" in MODELS
        assert resolve_model("demo/oracle").is_local
        for name in ("mine", "llava-1.5-7b"):
            with pytest.raises(ModelNotFound, match=r"line \d+ is no YAML"):
                resolve_model(name)

    def test_a_broken_entry_costs_only_itself(self, own: Path) -> None:
        own.write_text("mine: {load_id: nowhere}\nfine: {load_id: some-lab/fine}\n")
        assert resolve_model("fine").location == "some-lab/fine"
        assert resolve_model("llava-1.5-7b").location == "llava-hf/llava-1.5-7b-hf"
        with pytest.raises(ModelNotFound, match="neither a hub id"):
            resolve_model("mine")


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
    with pytest.raises(UnsupportedModel, match=r"'bert'.*known types: .*llava"):
        load_family("bert")


def test_an_adapter_of_the_cache_is_found_by_the_name_of_its_results(tmp_path: Path) -> None:
    record = write_adapter(tmp_path, state="trained")
    folder = adapter_directory(tmp_path, record.key)
    with with_models_of(tmp_path):
        with pytest.raises(ModelNotFound, match="there is no model"):
            resolve_model(record.name)  # nothing has been saved yet
        (folder / "adapter_config.json").write_text("{}")
        source = resolve_model(record.name)
        assert (source.name, source.adapter) == (record.name, folder)
        assert lasting_name(record.name) == str(folder)
    with pytest.raises(ModelNotFound, match="there is no model"):
        resolve_model("demo/oracle+pid-ffffff")
