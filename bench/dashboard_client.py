"""A visitor of the dashboard without a browser: the connection, the messages, and nothing drawn.

It speaks what Streamlit's own page speaks: one websocket, a request to run the script for an
address, and the elements that come back until the run is over. So the server does all that it does
for a browser; what a browser then does with the elements is left out.
"""

from __future__ import annotations

import time
import urllib.request
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 120.0
"""Seconds after which a page counts as never drawn."""


@dataclass
class Drawn:
    """One page as it came."""

    seconds: float
    """From the request until the server said that all of it was sent."""
    elements: int = 0
    kinds: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    """Exceptions, and sentences where a page or a part of it could not be shown."""
    texts: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    """Ids by label; those that are disabled are not among them."""
    redirect: str = ""
    """Where the browser is sent instead."""


class Visitor:
    """One session; a context manager."""

    def __init__(self, url: str, cookies: str = ""):
        """Prepare to connect as a page of the dashboard's own does.

        Parameters
        ----------
        url
            Of the dashboard, without a path.
        cookies
            As a browser sends them, where somebody has logged in.
        """
        from websockets.sync.client import connect

        place = urlsplit(url)
        # A page shows that it is the server's own by saying a cookie's value aloud.
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=PATIENCE) as answer:
            own = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        token = own["_streamlit_xsrf"].value if "_streamlit_xsrf" in own else ""
        sent = "; ".join(filter(None, [f"_streamlit_xsrf={token}" if token else "", cookies]))
        self._connecting = connect(
            f"ws://{place.netloc}/_stcore/stream",
            origin=url,  # type: ignore[arg-type]
            subprotocols=["streamlit", *filter(None, [token])],  # type: ignore[list-item]
            additional_headers={"Cookie": sent} if sent else None,
            max_size=None,
            open_timeout=PATIENCE,
            close_timeout=2,
        )

    def __enter__(self) -> Visitor:
        self._socket = self._connecting.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connecting.__exit__(kind, error, trace)

    def open(self, page: str, query: str = "", *, press: str | None = None) -> Drawn:
        """Ask for a page by its name in the address; the first page has none.

        Parameters
        ----------
        page
            Its name.
        query
            Parameters of the address.
        press
            Id of a button that is pressed, see `Drawn.buttons`.
        """
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        wish = BackMsg()
        wish.rerun_script.query_string = query
        wish.rerun_script.page_name = page
        if press is not None:
            pressed = wish.rerun_script.widget_states.widgets.add()
            pressed.id, pressed.trigger_value = press, True
        began = time.monotonic()
        self._socket.send(wish.SerializeToString())
        drawn = Drawn(seconds=0.0)
        begun = False
        while True:
            left = PATIENCE - (time.monotonic() - began)
            if left <= 0:
                drawn.troubles.append(f"{page} was not drawn within {PATIENCE:g} s")
                break
            try:
                said = self._socket.recv(timeout=left)
            except TimeoutError:
                continue
            message = ForwardMsg()
            message.ParseFromString(said if isinstance(said, bytes) else said.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                begun = True
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._note(drawn, message.delta.new_element)
            elif kind == "auth_redirect":
                drawn.redirect = message.auth_redirect.url
            elif kind == "script_finished" and begun and message.script_finished in (0, 1):
                break
        drawn.seconds = time.monotonic() - began
        return drawn

    @staticmethod
    def _note(drawn: Drawn, element: Any) -> None:
        kind = str(element.WhichOneof("type"))
        drawn.elements += 1
        drawn.kinds.add(kind)
        if kind in ("text", "markdown"):
            drawn.texts.append(element.text.body if kind == "text" else element.markdown.body)
        if kind == "button" and not element.button.disabled:
            drawn.buttons[element.button.label] = element.button.id
        if kind == "exception":
            drawn.troubles.append(f"{element.exception.type}: {element.exception.message[:200]}")
        if kind == "alert" and element.alert.format == 1:  # st.error
            drawn.troubles.append(element.alert.body[:200])
