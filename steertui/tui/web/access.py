"""Access to the server of the screens: a token in the first URL, then a cookie."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from http.cookies import Morsel
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REFUSED = "This address needs the token that `steertui serve` printed: open the printed URL."

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Headers of every response."""


class Access:
    """Middleware that refuses requests without the token.

    Attributes:
        token: random, of 256 bits.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._cookie = f"steertui-{port}"  # browsers do not separate cookies by port

    @web.middleware  # type: ignore[untyped-decorator, unused-ignore]  # without the extra
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request whose cookie or query has the token; raise HTTPForbidden otherwise."""
        given = request.query.get("token")
        if given is not None and self._is_valid(given):
            response: web.StreamResponse = web.HTTPFound("/")
            response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
        elif self._is_valid(request.cookies.get(self._cookie, "")) and _is_same_origin(request):
            response = await handler(request)
        else:
            response = web.Response(status=403, text=f"{REFUSED}\n")
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _is_valid(self, given: str | Morsel[str]) -> bool:
        return hmac.compare_digest(str(given).encode(), self.token.encode())


def _is_same_origin(request: web.Request) -> bool:
    """Whether the page that sent the request is of this server; programs send no origin."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
