"""A real server: pages of other sites cannot talk to it, and nothing can be put into it."""

import base64
import http.client
import secrets
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import ROOT, Dashboard, serving

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The dashboard as it is started, on a cache that is not there yet."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder / "cache", folder / "log.txt") as started:
        yield started


def handshake(url: str, *, host: str | None = None, origin: str | None = None) -> int:
    """Ask for the connection through which a browser starts things; returns the status."""
    port = urlsplit(url).port
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{port}'}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: streamlit",
        *([f"Origin: {origin}"] if origin else []),
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(64).split()[1])


def test_a_page_of_another_site_cannot_start_anything(dashboard: Dashboard) -> None:
    own = dashboard.url
    port = urlsplit(own).port
    assert handshake(own, origin=own) == 101
    assert handshake(own, origin=f"http://localhost:{port}", host=f"localhost:{port}") == 101
    for origin in (
        "https://evil.example",
        f"http://127.0.0.1.evil.example:{port}",
        f"http://localhost.evil.example:{port}",
        f"http://evil.example:{port}",
        "null",
        "file://",
    ):
        assert handshake(own, origin=origin) == 403, origin


def test_nor_does_a_name_of_another_site_that_points_here(dashboard: Dashboard) -> None:
    """Rebinding: the browser believes that the server is that site's own."""
    port = urlsplit(dashboard.url).port
    for host in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}"):
        assert handshake(dashboard.url, host=host, origin=f"http://{host}") == 403, host


def test_nothing_can_be_uploaded(dashboard: Dashboard) -> None:
    """PIDscope takes no uploads; what Streamlit has for them takes none of any size."""
    place = urlsplit(dashboard.url)
    for size in (10, 21 * MEBIBYTE):
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        status = 0
        try:
            connection.request(
                "PUT",
                "/_stcore/upload_file/session/file",
                body=b"x" * size,
                headers={"Content-Type": "multipart/form-data; boundary=x"},
            )
            status = connection.getresponse().status
        except (BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            status = 413
        finally:
            connection.close()
        assert 400 <= status < 500, (size, status)


def test_files_beside_the_program_are_not_served(dashboard: Dashboard) -> None:
    place = urlsplit(dashboard.url)
    wanted = (ROOT / "app.py").read_bytes()[:60]
    for path in (
        *("/app.py", "/../app.py", "/%2e%2e/app.py", "/static/../../app.py", "/app/static/app.py"),
        *("/component/../app.py", "/media/../../app.py", "/.streamlit/config.toml", "//etc/passwd"),
        *("/media/%2e%2e%2fapp.py", "/..%5c..%5capp.py"),
    ):
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
        connection.request("GET", path)
        content = connection.getresponse().read()
        connection.close()
        assert wanted not in content, path
        assert b"root:" not in content, path


def test_no_program_can_drive_it_over_http(dashboard: Dashboard) -> None:
    """Streamlit's agent API, which clicks on behalf of whoever asks, is off."""
    place = urlsplit(dashboard.url)
    for path in ("/_stcore/agent/interact", "/_stcore/agent/mcp"):
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
        connection.request("POST", path, b"{}", {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status >= 400, path
        assert b"enableAgentApi" in said, said
