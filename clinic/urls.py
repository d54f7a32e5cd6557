"""The URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from booking.sitemaps import VisitsMap
from clinic import views
from clinic.web import health
from education.views import sitemaps
from education.views.pictures import picture

urlpatterns = [
    path("", views.home, name="home"),
    path("live/", health.live, name="live"),
    path("ready/", health.ready, name="ready"),
    path("health/", health.health, name="health"),
    path("robots.txt", views.robots, name="robots"),
    path("sitemap.xml", sitemaps.sitemap, {"more": {"visits": VisitsMap}}, name="sitemap"),
    path("pictures/<slug:name>/<int:width>.webp", picture, name="picture"),
    path("learn/", include("education.urls")),
    path("", include("booking.urls")),
    path("intake/", include("assessments.urls")),
    path("messages/", include("clinic.outbox.urls")),
    path("admin/", admin.site.urls),
    path("staff/", include("clinic.staff.sign_in.urls")),
]
if settings.MAILBOX_DIR:
    urlpatterns.append(path("_mail/", include("clinic.local.mailbox.urls")))

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error
