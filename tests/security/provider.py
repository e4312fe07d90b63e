"""A small OpenID provider on this machine: real redirects, real codes, tokens signed with RSA."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "pidscope", "the secret of these tests"


@dataclass
class Provider:
    """Logs in whoever `claims` says, without asking anybody."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    forged: bool = False
    """Signs with a key that it does not publish."""
    codes: dict[str, str] = field(default_factory=dict)
    """Nonce by code."""


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider for the length of a test."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key, other = (
        RSAKey.generate_key(2048, {"kid": name, "use": "sig"}, private=True)
        for name in ("published", "published")
    )
    state = Provider()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

        def say(self, content: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(place.query).items()}
            if place.path == "/.well-known/openid-configuration":
                self.say(
                    {
                        "issuer": state.url,
                        "authorization_endpoint": f"{state.url}/authorize",
                        "token_endpoint": f"{state.url}/token",
                        "jwks_uri": f"{state.url}/keys",
                        "id_token_signing_alg_values_supported": ["RS256"],
                        "response_types_supported": ["code"],
                        "subject_types_supported": ["public"],
                    }
                )
            elif place.path == "/keys":
                self.say({"keys": [key.as_dict(private=False)]})
            elif place.path == "/authorize" and asked.get("client_id") == CLIENT:
                code = secrets.token_urlsafe(12)
                state.codes[code] = asked.get("nonce", "")
                back = urlencode({"code": code, "state": asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            else:
                self.say({"error": "not_found"}, 404)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            code = parse_qs(sent).get("code", [""])[0]
            nonce = state.codes.pop(code, None)
            if nonce is None:
                self.say({"error": "invalid_grant"}, 400)
                return
            now = int(time.time())
            told = {"iss": state.url, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 600}
            signer = other if state.forged else key
            token = jwt.encode(
                {"alg": "RS256", "kid": "published"}, told | {"nonce": nonce} | state.claims, signer
            )
            self.say({"access_token": "x", "token_type": "Bearer", "id_token": token})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
