"""/requests/ and /requests/async_to_sync: a probe as a page, as JSON and as CSV."""

import logging
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
    LoginNeeded,
    is_cross_site,
    is_navigation,
    is_prefetch,
    require_access,
)
from async_api.probe.distribution import distribution
from async_api.probe.engine import Probe, probe
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
from async_api.probe.timeline import timeline
from async_api.probe.unencoded import url_repairs, with_the_way_to_write_it
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

CROSS_SITE = (
    "Another site sent you here, so nothing has been sent yet. Look at the URL and send "
    "the requests yourself if that is what you want."
)


@read_only("GET")
@never_cache
async def probe_async(request: HttpRequest) -> HttpResponse:
    """The probe from an asynchronous view: it runs on the server's event loop."""
    return await answer(request)


@read_only("GET")
@never_cache
def probe_sync(request: HttpRequest) -> HttpResponse:
    """The same probe from a synchronous view, over asgiref's bridge."""
    return async_to_sync(answer)(request)


async def answer(request: HttpRequest) -> HttpResponse:
    try:
        await require_access(request)
    except LoginNeeded:
        return login_needed(request)
    answer_format = chosen_format(request, FORMATS)
    errors = parameter_errors(request.GET, PARAMETERS)
    if "url" not in request.GET and answer_format == "html":
        return unasked(request, errors)
    form = ProbeForm(request.GET)
    if errors:
        return misread(request, form, errors)
    if not form.is_valid():
        return bad_question(request, form)
    if is_cross_site(request):
        return cross_site(request, form)
    if is_prefetch(request):
        raise Problem(503, "A probe does not run ahead of being asked for.")
    try:
        with LIMIT.slot():
            run = await probe(
                form.question(),
                configured_limits(),
                settings.PROBE_PRIVATE_TARGETS,
                here=here(request),
            )
    except TargetRefused as refusal:
        return refused(request, form, refusal)
    match answer_format:
        case "json":
            return JsonResponse(as_json(run) | {"server": serving(request)})
        case "csv":
            return HttpResponse(
                as_csv(run),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": 'attachment; filename="probe.csv"'},
            )
    return summary_page(request, form, run)


def unasked(request: HttpRequest, errors: list[FieldError]) -> HttpResponse:
    """The form, with what the query string says already and what is wrong with it."""
    form = ProbeForm(example(request))
    if form.errors.keys() <= {"url"}:
        form = ProbeForm(initial=example(request))
    if errors:
        return misread(request, form, errors)
    return form_page(request, form, status=400 if form.errors else 200)


def example(request: HttpRequest) -> dict[str, str]:
    """A question that works offline, changed by whatever the query string says already."""
    return {"url": request.build_absolute_uri(reverse("time"))} | request.GET.dict()


def summary_page(request: HttpRequest, form: ProbeForm, run: Probe) -> HttpResponse:
    troubled, untroubled = result_rows(run)
    return page(
        request,
        form,
        {
            "probe": run,
            "summary": run.summary,
            "verdict": run.verdict,
            "in_short": in_short(run.summary),
            "outcomes": count_outcomes(run.summary),
            "outcome_rows": outcome_rows(run.summary),
            "troubled": troubled,
            "untroubled": untroubled,
            "failed_results": failed_results(run),
            "successful_results": successful_results(run),
            "distribution": distribution(run.samples),
            "latency_table": latency_table(run.samples),
            "again": again(request),
            "timeline": timeline(run.samples, run.summary.wall_time),
        },
    )


def again(request: HttpRequest) -> str:
    """The same question as a query string, but for the format."""
    question = request.GET.copy()
    question.pop("format", None)
    return question.urlencode()


def form_page(
    request: HttpRequest, form: ProbeForm, *, status: int = 200, **context: Any
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


def misread(
    request: HttpRequest, form: ProbeForm, errors: list[FieldError]
) -> HttpResponse:
    """Nothing is sent where the question may be another one than it seems."""
    if wants_page(request):
        offered = url_repairs(request, PARAMETERS)
        return form_page(
            request, form, status=400, parameter_errors=errors, repairs=offered
        )
    told = with_the_way_to_write_it(errors, request, PARAMETERS)
    return problem_response(request, ignored([*told, *field_errors(form)]))


def bad_question(request: HttpRequest, form: ProbeForm) -> HttpResponse:
    if wants_page(request):
        return form_page(request, form, status=400)
    return problem_response(request, bad_request(form))


def refused(
    request: HttpRequest, form: ProbeForm, refusal: TargetRefused
) -> HttpResponse:
    logger.warning(
        "refused to probe for %s: %s", request.META.get("REMOTE_ADDR"), refusal
    )
    if wants_page(request):
        form.add_error("url", str(refusal))
        return form_page(request, form, status=403)
    error = FieldError("url", request.GET["url"], str(refusal))
    return problem_response(request, Problem(403, str(refusal), [error]))


def cross_site(request: HttpRequest, form: ProbeForm) -> HttpResponse:
    """A page gets the form to confirm; anything that no person looks at gets nothing."""
    if is_navigation(request):
        return form_page(request, form, notice=CROSS_SITE, status=403)
    return problem_response(
        request, Problem(403, "A page of another site may not start a probe.")
    )


def login_needed(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        # After the login a probe would start; another site must not have asked for it.
        back = request.path if is_cross_site(request) else request.get_full_path()
        return redirect_to_login(back, reverse(settings.LOGIN_URL))
    detail = "Only staff may probe from this site. Log in at /admin/ first."
    return problem_response(request, Problem(403, detail))
