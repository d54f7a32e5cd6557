"""The site map with the mailbox in it, which the settings of the tests leave out."""

from django.urls import include, path

from clinic import urls

urlpatterns = [*urls.urlpatterns, path("_mail/", include("clinic.local.mailbox.urls"))]
handler404 = urls.handler404
