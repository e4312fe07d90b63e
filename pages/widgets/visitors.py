"""Who looks at the dashboard, whether they may start anything, and where that is said."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import streamlit as st

from data_cache import permission
from pages.start.openness import (
    Login,
    is_loopback,
    login_of,
    why_not_look,
    why_not_open,
    why_not_start,
)

READ_ONLY_OPTION = "--read-only"


def login_here() -> Login | None:
    """Return who may do what where this dashboard has a login; None where it has none.

    Raises
    ------
    ValueError
        If the secrets name somebody who cannot be, or a package is missing; one sentence.
    """
    secrets: Mapping[str, Any] = st.secrets if st.secrets.load_if_toml_exists() else {}
    login = login_of(secrets)
    if login is not None and not all(map(find_spec, ("authlib", "httpx"))):
        raise ValueError("a login needs Authlib and httpx; run `pip install 'streamlit[auth]'`")
    return login


def visitor() -> dict[str, Any]:
    """Return what is known of the person whom this run of a page is for; {} outside of one."""
    return dict(st.user.to_dict())


def rule() -> str | None:
    """Return why this visitor may write nothing; what everything that writes asks."""
    try:
        return why_not_start(visitor(), login_here())
    except ValueError as error:
        return str(error)


def admit() -> None:
    """Let nobody in where this server must not be open, or to whom it is not; the first of all.

    The pages are not drawn, and nothing of the cache is read.
    """
    if READ_ONLY_OPTION in sys.argv[1:]:  # streamlit run app.py -- --read-only
        os.environ[permission.ENVIRONMENT_VARIABLE] = "1"
    permission.ask(rule)
    try:
        login = login_here()
    except ValueError as error:
        _turn_away("This dashboard is not set up.", str(error))
        return
    closed = why_not_open(
        st.get_option("server.address"), read_only=permission.is_read_only(), login=login
    )
    if closed is not None:
        _turn_away("This dashboard must not be open here.", closed)
    unknown = why_not_look(visitor(), login)
    if unknown is not None:
        if visitor().get("is_logged_in"):
            st.button("Log out", key="log_out", on_click=st.logout)
        else:
            st.button("Log in", key="log_in", on_click=st.login, type="primary")
        _turn_away("This dashboard is not for everyone.", unknown)


def is_own() -> bool:
    """Whether only the person at this machine uses the dashboard: nobody else runs code there."""
    return is_loopback(st.get_option("server.address")) and login_here() is None


def show_visitor() -> None:
    """Say in the sidebar that nothing can be started, and who is logged in; else nothing."""
    login, reason = login_here(), permission.refusal()
    if login is None and reason is None:
        return
    with st.sidebar.container(gap="small", key="visitor"):
        if reason is not None:
            st.badge("Read-only", icon=":material/visibility:", color="gray")
        if permission.is_read_only() or login is None:
            return
        who = visitor()
        if who.get("is_logged_in"):
            st.text(str(who.get("email", "")))
            st.button("Log out", key="log_out", on_click=st.logout)
        else:
            st.button("Log in", key="log_in", on_click=st.login, icon=":material/login:")


def told_instead(what: str) -> bool:
    """Say in the place of pickers and buttons why there are none; False where there may be.

    Parameters
    ----------
    what
        What cannot be done, for example `Runs cannot be started here`.
    """
    reason = permission.refusal()
    if reason is None:
        return False
    st.info(what, icon=":material/visibility:")
    st.text(f"{reason[0].upper()}{reason[1:]}; what is measured already is shown as ever.")
    return True


def why_disabled(fallback: str | None = None) -> str | None:
    """Return what is told over a button that is disabled for everyone who only looks."""
    reason = permission.refusal()
    return fallback if reason is None else f"Not possible: {reason}."


def _turn_away(headline: str, words: str) -> None:
    st.error(headline, icon=":material/lock:")
    st.text(words)
    st.stop()
