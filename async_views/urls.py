"""What is where."""

from django.contrib import admin
from django.urls import include, path

from async_api.clock import current_time
from async_views.home import home
from async_views.runtime.health import healthz, readyz

urlpatterns = [
    path("", home, name="home"),
    path("time", current_time, name="time"),
    path("requests/", include("async_api.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
