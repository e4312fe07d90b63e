"""To whom a dashboard may be open: this machine, everyone who only looks, or whom a login names."""

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from data_cache.permission import ENVIRONMENT_VARIABLE

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""What a browser on this machine calls a server on it."""
SHARED_LOGIN = ("redirect_uri", "cookie_secret")
PROVIDER = ("client_id", "client_secret", "server_metadata_url")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_LISTED = re.compile(r"[^@\s]*@[^@\s]+")


@dataclass(frozen=True, kw_only=True)
class Login:
    """What the secrets of a dashboard say about who is who."""

    may_start: tuple[str, ...] = ()
    """E-mail addresses, or `@domain` for all of one; nobody where it is empty."""
    may_look: tuple[str, ...] | None = None
    """As `may_start`, for who is shown anything; None is everyone, without a login, too."""


def login_of(secrets: Mapping[str, Any]) -> Login | None:
    """Return who may do what where a login is set up in full; None where it is not.

    Parameters
    ----------
    secrets
        Of Streamlit: `[auth]` as its documentation has it, and `[pidscope]` with the lists
        `may_start` and `may_look`.

    Raises
    ------
    ValueError
        If one of the lists is no list of addresses; one sentence.
    """
    auth = secrets.get("auth") or {}
    # One provider has its settings beside the shared ones, several have a table each.
    tables = [auth, *(value for value in auth.values() if isinstance(value, Mapping))]
    if not all(auth.get(name) for name in SHARED_LOGIN) or not any(
        all(table.get(name) for name in PROVIDER) for table in tables
    ):
        return None
    ours = secrets.get("pidscope") or {}
    may_look = ours.get("may_look")
    return Login(
        may_start=_addresses(ours.get("may_start", ()), "may_start"),
        may_look=None if may_look is None else _addresses(may_look, "may_look"),
    )


def _addresses(given: Any, name: str) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else list(given)
    for one in listed:
        if not isinstance(one, str) or not _LISTED.fullmatch(one):
            raise ValueError(
                f"{name} in the secrets lists e-mail addresses, or @domain for all of one, and "
                f"{one!r} is neither"
            )
    return tuple(str(one).casefold() for one in listed)


def is_listed(user: Mapping[str, Any], listed: Collection[str]) -> bool:
    """Whether a person who has logged in is on a list.

    The address must be one that the provider vouches for: one that it calls unverified is nobody's.
    A provider that does not say (`email_verified` is missing) is believed.

    >>> is_listed({"is_logged_in": True, "email": "Ann@lab.org"}, ["ann@lab.org"])
    True
    >>> is_listed({"is_logged_in": True, "email": "ann@lab.org.example"}, ["@lab.org"])
    False
    """
    email = user.get("email")
    if user.get("is_logged_in") is not True or not isinstance(email, str):
        return False
    if str(user.get("email_verified", True)).lower() != "true":
        return False
    address = email.strip().casefold()
    if not _ADDRESS.fullmatch(address):
        return False
    return address in listed or f"@{address.rpartition('@')[2]}" in listed


def why_not_start(user: Mapping[str, Any], login: Login | None) -> str | None:
    """Return why a person may start nothing, as the end of a sentence; None if they may."""
    if login is None or is_listed(user, login.may_start):
        return None
    if user.get("is_logged_in") is not True:
        return "only people on its list may start or change anything; you are not logged in"
    return "the address that you are logged in with is not on the list of who may start anything"


def why_not_look(user: Mapping[str, Any], login: Login | None) -> str | None:
    """Return why a person is shown nothing, one sentence; None if they may look."""
    if login is None or login.may_look is None:
        return None
    if is_listed(user, login.may_look) or is_listed(user, login.may_start):
        return None
    if user.get("is_logged_in") is not True:
        return "This dashboard is for people on its list: log in."
    return "The address that you are logged in with is not on the list of this dashboard."


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches a server at an address; none stands for every address.

    >>> [is_loopback(one) for one in ("127.0.0.1", "localhost", "::1", None, "0.0.0.0", "lab")]
    [True, True, True, False, False, False]
    """
    if not address:
        return False
    if address == "localhost" or address.startswith("unix:"):
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def why_not_open(address: str | None, *, read_only: bool, login: Login | None) -> str | None:
    """Return why a server may not be opened at an address, some sentences; None if it may."""
    if is_loopback(address) or read_only or login is not None:
        return None
    where = address or "every address of this machine"
    return (
        f"PIDscope is not opened at {where}: whoever reaches it there could start jobs, read files "
        "and fill the disk as you. Leave the address out, and it is for this machine only (from "
        "elsewhere, `ssh -L 8501:localhost:8501` brings it to you); or show results and start "
        f"nothing with --read-only ({ENVIRONMENT_VARIABLE}=1); or say in .streamlit/secrets.toml "
        "who may log in and start jobs (docs/security.md)."
    )
