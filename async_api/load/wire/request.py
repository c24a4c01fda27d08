"""The bytes of a request, rendered once before the run."""

from dataclasses import dataclass

from async_api.load.plan.plan import Request
from async_api.load.wire.checks import CompiledChecks, compile_checks

USER_AGENT = "async_views load"
# Methods whose meaning expects a body announce an empty one (RFC 9110, section 8.6).
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request of a plan as it is sent."""

    index: int  # of the plan's request
    data: bytes  # request line, headers and body
    head_only: bool  # the method is HEAD: the response has no body
    checks: CompiledChecks | None  # None where every response passes


def render(request: Request, index: int, *, keep_alive: bool) -> WireRequest:
    """Render a request, and the headers that it needs and does not have."""
    given = {header.name.lower() for header in request.headers}
    fields = [("Host", request.target.authority)] if "host" not in given else []
    fields += [(header.name, header.value) for header in request.headers]
    defaults = [
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        # Sizes are those on the wire, and compressing would take the target time.
        ("Accept-Encoding", "identity"),
    ]
    if not keep_alive:
        defaults.append(("Connection", "close"))
    if request.body or request.method in _WITH_BODY:
        defaults.append(("Content-Length", str(len(request.body))))
    fields += [(name, value) for name, value in defaults if name.lower() not in given]
    head = "".join(
        [
            f"{request.method} {request.target.request_target} HTTP/1.1\r\n",
            *(f"{name}: {value}\r\n" for name, value in fields),
            "\r\n",
        ]
    )
    return WireRequest(
        index,
        head.encode() + request.body,
        request.method == "HEAD",
        compile_checks(request.checks),
    )
