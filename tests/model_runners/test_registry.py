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


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own file, which does not exist yet."""
    path = tmp_path / "models.yaml"
    monkeypatch.setenv(registry.ENVIRONMENT_VARIABLE, str(path))
    return path


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# mine\n",
        "# mine\nold: {load_id: a/old}  # tuned in May\n",
        "old:\n  load_id: a/old\n  # no newline at the end",
        "old:\r\n  load_id: a/old\r\n",
        "broken: {load_id: 3 4}\nold: {load_id: ./x}\n",
    ],
)
def test_a_model_is_added_and_what_was_there_stays_byte_for_byte(before: str, own: Path) -> None:
    own.write_bytes(before.encode())
    was = registry.own()
    registry.add_own("yes", "a/new", family="LLaVA: 1.5"[:5], model_type="")
    assert own.read_bytes().startswith(before.encode())
    now = registry.own()
    assert now.problems == was.problems
    assert {name: entry for name, entry in now.entries.items() if name != "yes"} == was.entries
    assert now.entries["yes"] == ModelEntry(load_id="a/new", family="LLaVA", origin="own")


def test_the_file_is_made_for_the_first_model(own: Path) -> None:
    assert registry.add_own("first", str(own.parent)) == own
    assert registry.own().entries["first"].load_id == str(own.parent)


def test_a_file_behind_a_link_stays_behind_it(own: Path) -> None:
    real = own.parent / "dotfiles" / "models.yaml"
    real.parent.mkdir()
    real.write_text("old: {load_id: a/old}\n")
    own.symlink_to(real)
    registry.add_own("new", "a/new")
    assert own.is_symlink()
    assert "a/new" in real.read_text()


@pytest.mark.parametrize(
    ("before", "name", "load_id", "says"),
    [
        ("old: {load_id: a/b}", "old", "a/new", "there is a model 'old' in .* already"),
        ("old: {load_id: 3 4}", "old", "a/new", "there is a model 'old' in .* already"),
        ("", "llava-1.5-7b", "a/new", "that of a model of the papers"),
        ("", "two words", "a/new", "a name has up to 64 letters"),
        ("", "new", "a b", "neither a hub id such as owner/name nor a folder"),
        ("{old: {load_id: a/b}}", "new", "a/new", "cannot be written at the end"),
        ("old: {load_id: a/b}\n...\n", "new", "a/new", "cannot be written at the end"),
        ("- a list", "new", "a/new", "cannot be written at the end"),
        ("old: {", "new", "a/new", "cannot be written at the end"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    before: str, name: str, load_id: str, says: str, own: Path
) -> None:
    own.write_text(before)
    with pytest.raises(BadOption, match=says):
        registry.add_own(name, load_id)
    assert own.read_text() == before
    assert [path.name for path in own.parent.iterdir()] == ["models.yaml"]
