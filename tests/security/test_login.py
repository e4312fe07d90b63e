"""A real login: a provider of these tests, Streamlit's own flow, and a session that may start."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from bench.dashboard_client import Visitor
from data_cache import jobs
from model_runners.jobs import cancel
from model_runners.profile import ProfileOptions
from model_runners.requests import request_of
from tests.browser.conftest import ROOT, Dashboard, _wait_until_it_answers, free_port
from tests.security.provider import CLIENT, SECRET, Provider, provider

SMALL = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=64, draws=1)
ANN = {"email": "ann@lab.org", "email_verified": True}
SECRETS = """
[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "sixty-four characters that nobody guesses, or about that many......"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{provider}/.well-known/openid-configuration"

[pidscope]
may_start = ["ann@lab.org"]
may_look = ["@lab.org"]
"""


@pytest.fixture(scope="module")
def known() -> Iterator[Provider]:
    pytest.importorskip("authlib")
    pytest.importorskip("websockets")
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a job that can be gone on with."""
    folder = tmp_path_factory.mktemp("login") / "cache"
    key = jobs.open_or_create(folder, "profile", request_of(SMALL), "a job").job_key
    jobs.claim(folder, key)
    jobs.finish(folder, key, "failed", "it was stopped")
    return folder


@pytest.fixture(scope="module")
def dashboard(known: Provider, cache: Path) -> Iterator[Dashboard]:
    """A dashboard that listens to all of this machine's addresses, because it has a login."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    secrets = cache.parent / "secrets.toml"
    secrets.write_text(SECRETS.format(url=url, client=CLIENT, secret=SECRET, provider=known.url))
    log = cache.parent / "log.txt"
    line = [
        *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)),
        *("--server.address", "0.0.0.0", "--server.fileWatcherType", "none"),
        *("--secrets.files", str(secrets)),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            env=os.environ | {"PIDSCOPE_CACHE": str(cache)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        started = Dashboard(url=url, log=log, process=process)
        _wait_until_it_answers(started)
        yield started
    finally:
        process.terminate()
        process.wait(timeout=30)


def logged_in(dashboard: Dashboard, known: Provider, claims: dict[str, Any]) -> str:
    """Press the button, follow the redirects, and return the cookies; empty where it is refused."""
    known.claims = claims
    with Visitor(dashboard.url) as visitor:
        button = visitor.open("").buttons["Log in"]
        redirect = visitor.open("", press=button).redirect
    assert redirect.startswith("/auth/login")
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    try:
        opener.open(f"{dashboard.url}{redirect}", timeout=30).read()
    except urllib.error.HTTPError:
        return ""
    return "; ".join(f"{one.name}={one.value}" for one in jar if "_user" in one.name)


@pytest.mark.slow
def test_only_who_is_on_the_list_gets_a_button_that_acts(
    dashboard: Dashboard, known: Provider, cache: Path
) -> None:
    with Visitor(dashboard.url) as stranger:
        page = stranger.open("run")
    assert "This dashboard is for people on its list: log in." in page.texts
    assert set(page.buttons) == {"Log in"}

    for claims, words in (
        ({"email": "cy@evil.org", "email_verified": True}, "not on the list of this dashboard"),
        ({"email": "ann@lab.org", "email_verified": False}, "not on the list of this dashboard"),
    ):
        cookies = logged_in(dashboard, known, claims)
        with Visitor(dashboard.url, cookies) as other:
            page = other.open("run")
        assert any(words in text for text in page.texts), page.texts
        assert set(page.buttons) == {"Log out"}

    cookies = logged_in(dashboard, known, {"email": "bob@lab.org", "email_verified": True})
    with Visitor(dashboard.url, cookies) as reader:
        page = reader.open("run")
    assert "bob@lab.org" in page.texts
    assert "Resume" not in page.buttons
    assert any("list of who may start" in text for text in page.texts)

    cookies = logged_in(dashboard, known, ANN)
    with Visitor(dashboard.url, cookies) as ann:
        page = ann.open("run")
        assert "Resume" in page.buttons
        (before,) = jobs.jobs(cache)
        ann.open("run", press=page.buttons["Resume"])
    (after,) = jobs.jobs(cache)
    cancel(cache, after.job_key, now=True)
    assert before.state == "failed"
    assert (after.pid, after.state) != (before.pid, before.state), "she has set it to work"


@pytest.mark.slow
def test_a_login_that_is_not_the_providers_is_none(dashboard: Dashboard, known: Provider) -> None:
    known.forged = True
    try:
        cookies = logged_in(dashboard, known, ANN)
    finally:
        known.forged = False
    good = logged_in(dashboard, known, ANN)
    first = next(one for one in good.split("; ") if one.startswith("_streamlit_user="))
    name, _, value = first.partition("=")
    for tried in (cookies, f"{name}={value[:-4]}AAAA", f"{name}={value[::-1]}", f'{name}="{ANN}"'):
        with Visitor(dashboard.url, tried) as visitor:
            page = visitor.open("run")
        assert set(page.buttons) == {"Log in"}, tried
    with Visitor(dashboard.url, good) as ann:
        assert "Resume" in ann.open("run").buttons or "Cancel" in ann.open("run").buttons
