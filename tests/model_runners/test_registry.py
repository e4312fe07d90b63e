"""The file of models: what ships is whole, and what a person writes is checked line by line."""

from dataclasses import fields
from pathlib import Path

import pytest

from model_runners import registry
from model_runners.errors import BadOption
from model_runners.registry import FIELDS, SHIPPED_FILE, ModelEntry, read_registry

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-a-model.md"


def read(path: Path, text: str) -> registry.Registry:
    path.write_text(text)
    return read_registry(path, origin="own")


def test_the_shipped_file_has_no_problem_and_every_model_of_the_papers() -> None:
    shipped = read_registry(SHIPPED_FILE, origin="papers")
    assert shipped.problems == ()
    assert len(shipped.entries) == 38
    for entry in shipped.entries.values():
        assert entry.family
        assert entry.paper_id
        assert entry.parameters
        assert entry.layers
        assert entry.model_type or entry.reason
        assert entry.papers or entry.perhaps_in


def test_the_native_checkpoint_comes_before_that_of_the_paper() -> None:
    entry = registry.papers()["llava-onevision-7b"]
    assert entry.load_id == "llava-hf/llava-onevision-qwen2-7b-ov-hf"
    assert entry.paper_id == "lmms-lab/llava-onevision-qwen2-7b-ov"
    assert entry.guessed == ("paper_id",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("m: {load_id: a/b, layer: 3}", "no field 'layer'; did you mean 'layers'"),
        ("m: {load_id: a/b, layers: many}", "layers must be a whole number"),
        ("m: {load_id: a/b, parameters: 7 billion}", "parameters must be a number such as 7B"),
        ("m: {load_id: a/b, parameters: 0}", "parameters must be a number such as 7B"),
        ("m: {load_id: a/b, papers: Xiu26}", "papers must be a list"),
        ("m: {load_id: a/b, guessed: [size]}", "guessed names 'size'"),
        ("m: {load_id: [a/b]}", "load_id must be one text"),
        ("m: {load_id: a/b}\nm: {load_id: a/b}", "there twice"),
        ("m: {load_id: a/b, load_id: a/c}", "has the field load_id twice"),
        ("m: {load_id: 'a b'}", "neither a hub id such as owner/name nor a folder"),
        ("m: {load_id: '~no-such-person/m'}", "cannot be looked for"),
        ("m: {family: 'LLaVA ![x](http://x)', load_id: a/b}", "family has up to 40"),
        ("m: {family: LLaVA}", "give load_id"),
        ("m: a/b", "fields must stand below it"),
        ("demo/oracle: {load_id: a/b}", "a name has up to 64 letters"),
        ("? {a: b}\n: {load_id: a/b}", "a name has up to 64 letters"),
    ],
)
def test_a_broken_entry_is_one_sentence_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    found = read(tmp_path / "own.yaml", f"good: {{load_id: a/b}}\n{text}\n")
    (problem,) = found.problems
    assert says in problem
    assert str(tmp_path / "own.yaml") in problem
    assert f"line {3 if 'twice' in says and 'field' not in says else 2}" in problem
    assert "good" in found.entries


@pytest.mark.parametrize(
    "text", ["a: {", "- one\n- two", "just words", "a: b: c", "a: *nobody", "a: 1\n---\nb: 2", "\0"]
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path: Path, text: str) -> None:
    found = read(tmp_path / "own.yaml", text)
    (problem,) = found.problems
    assert "\n" not in problem
    assert not found.readable
    assert not found.entries


def test_an_empty_file_is_an_empty_table(tmp_path: Path) -> None:
    assert read(tmp_path / "own.yaml", "# nothing yet\n") == registry.Registry(entries={})


def test_a_file_with_other_bytes_or_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(b"a: \xff\xfe")
    for path in (tmp_path / "own.yaml", tmp_path):
        (problem,) = read_registry(path, origin="own").problems
        assert "cannot be read" in problem


def test_an_entry_without_a_route_needs_a_reason() -> None:
    with pytest.raises(BadOption, match="give load_id"):
        ModelEntry(load_id="a/b", reason="and yet")


class TestWhereOwnModelsAre:
    @pytest.fixture(autouse=True)
    def _nothing_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(registry.ENVIRONMENT_VARIABLE, raising=False)
        monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path))

    def test_in_the_cache_folder(self, tmp_path: Path) -> None:
        assert registry.own() == registry.Registry(entries={})
        (tmp_path / "models.yaml").write_text("mine: {load_id: a/b}")
        assert list(registry.own().entries) == ["mine"]

    def test_in_the_cache_folder_of_the_command_at_work(self, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "models.yaml").write_text("theirs: {load_id: a/b}")
        with registry.with_models_of(other):
            assert list(registry.own().entries) == ["theirs"]
        assert not registry.own().entries

    @pytest.mark.parametrize(
        ("named", "says"), [("models.yaml", "give an absolute path"), ("/no/such.yaml", "no such")]
    )
    def test_a_variable_that_names_no_file_is_one_sentence(
        self, named: str, says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(registry.ENVIRONMENT_VARIABLE, named)
        (problem,) = registry.own().problems
        assert says in problem


def test_the_document_names_every_field_and_its_example_is_read(tmp_path: Path) -> None:
    text = DOCUMENT.read_text()
    for field in (*FIELDS, "guessed"):
        if field != "summary":
            assert f"`{field}`" in text, field
    assert registry.ENVIRONMENT_VARIABLE in text
    example = text.split("```yaml\n")[1].split("```")[0]
    found = read(tmp_path / "own.yaml", example)
    assert found.problems == ()
    assert len(found.entries) == 2
    assert {one.name for one in fields(ModelEntry)} >= set(FIELDS)
