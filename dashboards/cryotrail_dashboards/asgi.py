"""Entry of the page server's process: ``streamlit run asgi.py`` serves :data:`app`.

Start it with ``cryotrail dashboard``, which passes the settings and the safe options on.
"""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import uuid4

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cryotrail_dashboards.headers import (
    SecurityHeaders,
    content_security_policy,
    inline_script_hashes,
)
from cryotrail_schemas.errors import CryotrailError

_logger = logging.getLogger(__name__)


async def healthz(request: Request) -> JSONResponse:
    """The process answers. Whether anything is published is a matter of the pages."""
    return JSONResponse({"status": "ok"})


def show_failure(error: Exception) -> bool:
    """Tell the reader in plain words what failed; the traceback goes to the log alone.

    :returns: True: Streamlit adds nothing of its own.
    """
    if isinstance(error, CryotrailError):
        streamlit.error(str(error), icon=":material/error:")
        if error.hint:
            streamlit.info(error.hint, icon=":material/arrow_forward:")
        return True
    incident = uuid4().hex[:8]
    _logger.error("incident %s", incident, exc_info=error)
    streamlit.error(
        f"This page failed. The server's log tells why under incident {incident}.",
        icon=":material/error:",
    )
    return True


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
