"""The site's URLs, plus those of the mailbox, which the test settings omit."""

from django.urls import include, path

from clinic import urls

urlpatterns = [*urls.urlpatterns, path("_mail/", include("clinic.local.mailbox.urls"))]
handler404 = urls.handler404
