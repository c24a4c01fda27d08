"""The site's routes."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

import catalog.urls
from async_api.clock import current_time
from async_api.home import home
from async_api.online.views import counter
from async_views.runtime.views.login_page import LoginForm, login, password_change

handler400 = "async_views.runtime.views.problems.bad_request_view"
handler403 = "async_views.runtime.views.problems.forbidden_view"
handler404 = "async_views.runtime.views.problems.not_found_view"
handler500 = "async_views.runtime.views.problems.failed_view"

# Looked up on first use: in production that reads all static files.
ICON = lazy(static, str)("site.svg")

admin.site.login_form = LoginForm

urlpatterns = [
    # Not included but listed: the most requested routes are matched first, one level up.
    *catalog.urls.urlpatterns,
    path("", home, name="home"),
    path("time", current_time, name="time"),
    path("counter/", counter, name="counter"),
    path("requests/", include("async_api.urls")),
    path("admin/login/", login),
    path(
        "admin/password_change/",
        admin.site.admin_view(password_change, cacheable=True),
    ),
    path("admin/", admin.site.urls),
    # /healthz and /readyz are answered by middleware: async_views.runtime.views.health.
    path("favicon.ico", RedirectView.as_view(url=ICON)),
]
