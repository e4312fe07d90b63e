from pathlib import Path

import pytest

from data_cache.errors import CacheError
from data_cache.location import cache_directory, command


def test_the_option_wins_over_the_environment_and_that_over_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "environment"))
    assert cache_directory(str(tmp_path / "option")) == tmp_path / "option"
    assert cache_directory(None) == tmp_path / "environment"
    monkeypatch.setenv("PIDSCOPE_CACHE", "")
    assert cache_directory() == Path.home() / ".cache" / "pidscope"


def test_a_home_is_expanded_and_a_relative_folder_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cache_directory("here") == tmp_path / "here"
    assert cache_directory("~/there") == Path.home() / "there"


def test_a_file_is_no_cache_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="is a file, not a folder"):
        cache_directory(tmp_path / "file")


def test_commands_in_messages_can_be_pasted():
    assert command("rebuild", Path("/a b")) == "`python -m model_runners rebuild --cache '/a b'`"
