"""A visitor of the dashboard without a browser: the connection, the messages, and nothing drawn.

It speaks what Streamlit's own page speaks: one websocket, a request to run the script for an
address, and the elements that come back until the run is over. So the server does all that it does
for a browser; what a browser then does with the elements is left out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
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


class Visitor:
    """One session; a context manager."""

    def __init__(self, url: str):
        """Connect as a page of the dashboard's own does."""
        from websockets.sync.client import connect

        place = urlsplit(url)
        self._socket = connect(
            f"ws://{place.netloc}/_stcore/stream",
            origin=url,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=PATIENCE,
            close_timeout=2,
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def open(self, page: str, query: str = "") -> Drawn:
        """Ask for a page by its name in the address; the first page has none."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        wish = BackMsg()
        wish.rerun_script.query_string = query
        wish.rerun_script.page_name = page
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
            elif kind == "script_finished" and begun and message.script_finished in (0, 1):
                break
        drawn.seconds = time.monotonic() - began
        return drawn

    @staticmethod
    def _note(drawn: Drawn, element: Any) -> None:
        kind = str(element.WhichOneof("type"))
        drawn.elements += 1
        drawn.kinds.add(kind)
        if kind == "exception":
            drawn.troubles.append(f"{element.exception.type}: {element.exception.message[:200]}")
        if kind == "alert" and element.alert.format == 1:  # st.error
            drawn.troubles.append(element.alert.body[:200])
