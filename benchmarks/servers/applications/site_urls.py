"""What is where in this site while it is compared: two routes more than it has."""

from django.urls import path

from async_views import urls
from benchmarks.servers.applications import views

urlpatterns = [
    path("hello", views.hello),
    path("orm", views.users),
    *urls.urlpatterns,
]
