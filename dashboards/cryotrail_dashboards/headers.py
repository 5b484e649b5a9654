"""The security headers that every answer of the page server carries.

Streamlit sends none of its own. Vega runs with its interpreter that needs no ``unsafe-eval``, so
scripts are limited to the server's own files and to the inline scripts of Streamlit's start page,
each by its hash. Styles stay ``unsafe-inline``: the component library writes them at run time.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED_PATHS = ("/_stcore/metrics", "/_stcore/agent/")
"""What Streamlit offers to machines and nobody here uses: answered with "not found"."""

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_script_hashes(start_page: Path) -> tuple[str, ...]:
    """The CSP sources (``'sha256-…'``) of the inline scripts of an HTML file.

    They change with releases of Streamlit, hence they are computed from what is installed.
    """
    scripts = _INLINE_SCRIPT.findall(start_page.read_text(encoding="utf-8"))
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def content_security_policy(script_hashes: tuple[str, ...]) -> str:
    """The policy: this server and nothing else, never inside another site's frame."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "object-src 'none'",
            "form-action 'self'",
        )
    )


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer and closes :data:`CLOSED_PATHS`.

    HSTS is the business of the proxy that ends TLS, which alone knows that there is TLS.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
            "cross-origin-opener-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if scope["path"].startswith(CLOSED_PATHS):
            not_found = PlainTextResponse("not found", status_code=404)
            await not_found(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)
