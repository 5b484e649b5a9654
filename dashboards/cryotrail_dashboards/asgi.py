"""Entry of the page server's process: ``streamlit run asgi.py`` serves :data:`app`.

Start it with ``cryotrail dashboard``, which passes the settings and the safe options on.
"""

from __future__ import annotations

from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cryotrail_dashboards.failure import show_failure
from cryotrail_dashboards.headers import (
    SecurityHeaders,
    content_security_policy,
    inline_script_hashes,
)


async def healthz(request: Request) -> JSONResponse:
    """The process answers. Whether anything is published is a matter of the pages."""
    return JSONResponse({"status": "ok"})


_start_page = Path(streamlit.__file__).parent / "static" / "index.html"

app = streamlit.App(
    Path(__file__).with_name("app.py"),
    routes=[Route("/healthz", healthz)],
    middleware=[
        Middleware(
            SecurityHeaders, policy=content_security_policy(inline_script_hashes(_start_page))
        )
    ],
    on_script_error=show_failure,
)
