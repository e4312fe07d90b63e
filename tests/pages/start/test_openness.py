"""Who may be let in, and who may start anything: the rules, and the command that keeps them."""

from typing import Any

import pytest

from pages.start.__main__ import main
from pages.start.openness import (
    Login,
    is_listed,
    is_loopback,
    login_of,
    why_not_look,
    why_not_open,
    why_not_start,
)

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a long random text of one's own",
    "client_id": "x",
    "client_secret": "y",
    "server_metadata_url": "https://login.lab.org/.well-known/openid-configuration",
}
ANN: dict[str, Any] = {"is_logged_in": True, "email": "Ann@Lab.org", "email_verified": True}
LOGIN = Login(may_start=("ann@lab.org",))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"])
def test_this_machine_is_always_served(address: str) -> None:
    assert is_loopback(address)
    assert why_not_open(address, read_only=False, login=None) is None


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "10.0.0.7", "lab.org", "1270.0.1"])
def test_others_are_served_only_with_a_login_or_read_only(address: str | None) -> None:
    refused = why_not_open(address, read_only=False, login=None)
    assert refused
    assert "--read-only" in refused
    assert why_not_open(address, read_only=True, login=None) is None
    assert why_not_open(address, read_only=False, login=LOGIN) is None


def test_the_start_command_refuses_before_anything_listens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(".")  # put back after the command has gone to its own folder
    assert main(["--address", "0.0.0.0"]) == 2
    assert "not opened at 0.0.0.0" in capsys.readouterr().err


def test_a_login_counts_only_when_it_is_whole() -> None:
    assert login_of({}) is None
    for left_out in AUTH:
        assert login_of({"auth": {k: v for k, v in AUTH.items() if k != left_out}}) is None
    assert login_of({"auth": AUTH}) == Login()
    shared = {k: v for k, v in AUTH.items() if k in ("redirect_uri", "cookie_secret")}
    provider = {k: v for k, v in AUTH.items() if k not in shared}
    assert login_of({"auth": {**shared, "lab": provider}}) == Login()


def test_the_lists_are_addresses_or_domains() -> None:
    ours = {"may_start": ["Ann@lab.org"], "may_look": "@lab.org"}
    assert login_of({"auth": AUTH, "pidscope": ours}) == Login(
        may_start=("ann@lab.org",), may_look=("@lab.org",)
    )
    for wrong in (["lab.org"], ["a b@c"], [3], ["*"]):
        with pytest.raises(ValueError, match="may_start in the secrets"):
            login_of({"auth": AUTH, "pidscope": {"may_start": wrong}})


def test_nobody_starts_anything_who_is_not_on_the_list() -> None:
    assert why_not_start(ANN, LOGIN) is None
    assert why_not_start({}, None) is None  # no login: the one person of this machine
    for user in (
        {},
        {"is_logged_in": False, "email": "ann@lab.org"},
        {**ANN, "email": "bob@lab.org"},
        {**ANN, "email": None},
        {**ANN, "email": "ann@lab.org@evil.org"},
        {**ANN, "email_verified": False},
        {**ANN, "email_verified": "false"},
        {**ANN, "is_logged_in": "yes"},
    ):
        assert why_not_start(user, LOGIN), user
    assert why_not_start(ANN, Login()), "a login without a list lets nobody start"


def test_a_domain_is_all_of_it_and_no_more() -> None:
    assert is_listed(ANN, ["@lab.org"])
    for email in ("ann@lab.org.evil", "ann@xlab.org", "lab.org", "@lab.org", "ann@evil@lab.org"):
        assert not is_listed({**ANN, "email": email}, ["@lab.org"]), email


def test_everyone_may_look_unless_the_secrets_say_who() -> None:
    assert why_not_look({}, LOGIN) is None
    closed = Login(may_start=("ann@lab.org",), may_look=("@friends.org",))
    assert why_not_look(ANN, closed) is None
    assert why_not_look({**ANN, "email": "cy@friends.org"}, closed) is None
    assert "log in" in (why_not_look({}, closed) or "")
    assert "not on the list" in (why_not_look({**ANN, "email": "x@y.z"}, closed) or "")
