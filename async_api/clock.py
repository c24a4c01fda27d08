"""The current time as JSON: the smallest useful response, and the probe's example target."""

from datetime import datetime

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from async_views.runtime.views.known_parameters import takes_no_parameters
from async_views.runtime.views.read_only import read_only


@read_only("GET", "HEAD")
@never_cache
@takes_no_parameters(page=False)
async def current_time(request: HttpRequest) -> JsonResponse:
    """The server's local time (TIME_ZONE), to the microsecond."""
    return JsonResponse(time_of(datetime.now()))


def time_of(now: datetime) -> dict[str, int | str]:
    return {
        "month": now.month,
        "day": now.day,
        "time": now.time().isoformat(timespec="microseconds"),
    }
