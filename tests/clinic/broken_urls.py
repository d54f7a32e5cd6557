"""URLs of a site whose front page raises an exception."""

from django.urls import path

from clinic.urls import handler500

__all__ = ["handler500"]


def broken(request):
    return 1 / 0


urlpatterns = [path("", broken)]
