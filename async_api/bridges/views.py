"""/requests/sync_to_async: how long do blocking calls take when they are awaited?"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_api.bridges.forms import FORMATS, BridgeForm
from async_api.bridges.sleeping import seconds_to_sleep
from async_views.runtime.gateway import serving
from async_views.runtime.negotiation import chosen_format, wants_page
from async_views.runtime.places import Places
from async_views.runtime.problems import bad_request, explained, problem_response
from async_views.runtime.read_only import read_only

PLACES = Places(settings.BRIDGE_LIMIT, "experiments")


@read_only("GET")
@never_cache
async def sync_to_async_view(request: HttpRequest) -> HttpResponse:
    if not request.GET:
        return page(request, BridgeForm())
    form = BridgeForm(request.GET)
    if not form.is_valid():
        if wants_page(request):
            return explained(page(request, form, status=400))
        return problem_response(request, bad_request(form))
    answers = form.cleaned_data
    with PLACES.taken():
        seconds = await seconds_to_sleep(
            answers["sleep_time"], answers["num_calls"], answers["thread_sensitive"]
        )
    if chosen_format(request, FORMATS) == "json":
        return JsonResponse(
            {
                "sleep_time": answers["sleep_time"],
                "num_calls": answers["num_calls"],
                "thread_sensitive": answers["thread_sensitive"],
                "seconds": round(seconds, 6),
                "server": serving(request),
            }
        )
    return page(request, form, seconds=seconds)


def page(
    request: HttpRequest,
    form: BridgeForm,
    *,
    seconds: float | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "seconds": seconds, "server": serving(request)}
    return render(request, "bridges/page.html", context, status=status)
