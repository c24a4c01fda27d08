"""The views of the probe: /requests/ and /requests/async_to_sync."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from async_api.outbound.guard import TargetRefused
from async_api.probe.access import (
    CrossSite,
    LoginNeeded,
    is_cross_site,
    is_navigation,
    is_prefetch,
    refuse_cross_site,
    require_access,
)
from async_api.probe.distribution import distribution
from async_api.probe.forms import FORMATS, ProbeForm
from async_api.probe.nearness import here
from async_api.probe.outcome import count_outcomes
from async_api.probe.report import (
    as_csv,
    as_json,
    failed_results,
    in_short,
    latency_table,
    outcome_rows,
    result_rows,
    successful_results,
)
from async_api.probe.spec import Probe
from async_api.probe.timeline import timeline
from async_api.probe.unencoded import url_repairs, with_encoding_hint
from async_api.probe.wire.limits import configured_limits
from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.views.gateway import serving
from async_views.runtime.views.known_parameters import ignored, parameter_errors
from async_views.runtime.views.negotiation import chosen_format, wants_page
from async_views.runtime.views.problems import (
    bad_request,
    explained,
    field_errors,
    problem_response,
)
from async_views.runtime.views.read_only import read_only
from async_views.runtime.waiting.concurrency_limit import ConcurrencyLimit

logger = logging.getLogger(__name__)

PARAMETERS = tuple(ProbeForm.base_fields)
LIMIT = ConcurrencyLimit(settings.PROBE_LIMIT, "probes")


class NotProbed(Exception):
    """No probe was run.

    A page shows the form with `context`; programs get `problem`.
    """

    def __init__(self, problem: Problem, **context: Any) -> None:
        super().__init__(problem.details.detail)
        self.problem = problem
        self.context = context


@read_only("GET")
@never_cache
async def probe_async(request: HttpRequest) -> HttpResponse:
    """The probe from an asynchronous view: it runs on the server's event loop."""
    return await respond(request)


@read_only("GET")
@never_cache
def probe_sync(request: HttpRequest) -> HttpResponse:
    """The same probe from a synchronous view, over asgiref's bridge."""
    return async_to_sync(respond)(request)


async def respond(request: HttpRequest) -> HttpResponse:
    """Responds with the result of a probe, with its form, or with an error."""
    errors_as_page = shows_errors_as_page(request)
    try:
        await require_access(request)
    except LoginNeeded:
        return login_needed(request, errors_as_page)
    result_format = chosen_format(request, FORMATS)
    is_asked = "url" in request.GET or result_format != "html"
    form = ProbeForm(request.GET) if is_asked else example_form(request)
    try:
        require_known_parameters(request, form)
        if not is_asked:
            return form_page(request, form, status=400 if form.errors else 200)
        result = await probe_asked_for(request, form)
    except NotProbed as error:
        if errors_as_page:
            status = error.problem.details.status
            return form_page(request, form, status=status, **error.context)
        return problem_response(request, error.problem)
    match result_format:
        case "json":
            return JsonResponse(as_json(result) | {"server": serving(request)})
        case "csv":
            return HttpResponse(
                as_csv(result),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": 'attachment; filename="probe.csv"'},
            )
    return summary_page(request, form, result)


def shows_errors_as_page(request: HttpRequest) -> bool:
    """Whether errors are shown in the form, for people, or as problem details.

    Someone who follows a link on another site sees the form, whatever format the link
    asks for.
    """
    return wants_page(request) or (is_cross_site(request) and is_navigation(request))


async def probe_asked_for(request: HttpRequest, form: ProbeForm) -> Probe:
    """Runs the probe; raises NotProbed if it may not run, and then sends nothing."""
    if not form.is_valid():
        raise NotProbed(bad_request(form))
    try:
        refuse_cross_site(request)
    except CrossSite as error:
        raise NotProbed(Problem(403, str(error)), notice=error.notice) from error
    if is_prefetch(request):
        raise Problem(503, "A prefetch does not start a probe.")
    if not engine.cache_info().currsize:
        # Importing takes a quarter of a second, which would block the event loop.
        await asyncio.to_thread(engine)
    try:
        with LIMIT.slot():
            return await engine()(
                form.spec(),
                configured_limits(),
                settings.PROBE_PRIVATE_TARGETS,
                here=here(request),
            )
    except TargetRefused as refusal:
        logger.warning(
            "refused to probe for %s: %s", request.META.get("REMOTE_ADDR"), refusal
        )
        form.add_error("url", str(refusal))
        wrong = FieldError("url", request.GET["url"], str(refusal))
        raise NotProbed(Problem(403, str(refusal), [wrong])) from refusal


@cache
def engine() -> Callable[..., Coroutine[Any, Any, Probe]]:
    """The engine's `probe`. With aiohttp it takes 9 MB, which only a worker that probes needs."""
    from async_api.probe.engine import probe

    return probe


def require_known_parameters(request: HttpRequest, form: ProbeForm) -> None:
    """Raises NotProbed for parameters that are unknown or given twice.

    The query may then mean something else than the form reads from it.
    """
    errors = parameter_errors(request.GET, PARAMETERS)
    if errors:
        hinted = with_encoding_hint(errors, request, PARAMETERS)
        raise NotProbed(
            # A page shows the errors of fields beside them.
            ignored([*hinted, *field_errors(form)]),
            parameter_errors=errors,
            repairs=url_repairs(request, PARAMETERS),
        )


def example_form(request: HttpRequest) -> ProbeForm:
    """The form with an example that works offline, and the values of the query string."""
    example = {"url": request.build_absolute_uri(reverse("time"))} | request.GET.dict()
    form = ProbeForm(example)
    if form.errors.keys() <= {"url"}:
        return ProbeForm(initial=example)
    return form


def summary_page(request: HttpRequest, form: ProbeForm, result: Probe) -> HttpResponse:
    troubled, untroubled = result_rows(result)
    return page(
        request,
        form,
        {
            "probe": result,
            "summary": result.summary,
            "verdict": result.verdict,
            "in_short": in_short(result.summary),
            "outcomes": count_outcomes(result.summary),
            "outcome_rows": outcome_rows(result.summary),
            "troubled": troubled,
            "untroubled": untroubled,
            "failed_results": failed_results(result),
            "successful_results": successful_results(result),
            "distribution": distribution(result.samples),
            "latency_table": latency_table(result.samples),
            "again": again(request),
            "timeline": timeline(result.samples, result.summary.wall_time),
        },
    )


def again(request: HttpRequest) -> str:
    """The query string without its format."""
    query = request.GET.copy()
    query.pop("format", None)
    return query.urlencode()


def form_page(
    request: HttpRequest, form: ProbeForm, *, status: int, **context: Any
) -> HttpResponse:
    return explained(page(request, form, context, status))


def page(
    request: HttpRequest, form: ProbeForm, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    return render(
        request,
        "probe/page.html",
        {"form": form, "server": serving(request)} | context,
        status=status,
    )


def login_needed(request: HttpRequest, errors_as_page: bool) -> HttpResponse:
    if errors_as_page:
        # The probe would start after the login, so another site must not provide its query.
        back = request.path if is_cross_site(request) else request.get_full_path()
        return redirect_to_login(back, reverse(settings.LOGIN_URL))
    detail = "Only staff may probe from this site. Log in at /admin/ first."
    return problem_response(request, Problem(403, detail))
