"""Booking a visit, and the page of a visit one has booked."""

from django.urls import path, register_converter

from booking.paths import DayConverter, InstantConverter
from booking.views import answer, choose, details, manage

register_converter(DayConverter, "day")
register_converter(InstantConverter, "instant")

app_name = "booking"
urlpatterns = [
    path("book/", choose.services, name="services"),
    path("book/<slug:slug>/", choose.days, name="days"),
    path("book/<slug:slug>/<day:day>/", choose.times, name="times"),
    path("book/<slug:slug>/<slug:therapist_slug>/<instant:starts_at>/", details.details, name="details"),
    path("visits/<str:token>/", manage.visit, name="visit"),
    path("visits/<str:token>/cancel/", manage.cancel, name="cancel"),
    path("visits/<str:token>/confirm/", manage.confirm, name="confirm"),
    path("visits/<str:token>/coming/", answer.coming, name="coming"),
    path("visits/<str:token>/messages/", answer.messages, name="messages"),
    path("visits/<str:token>/not-coming/", answer.not_coming, name="not_coming"),
    path("visits/<str:token>/questions/", manage.questions, name="questions"),
    path("visits/<str:token>/visit.ics", manage.calendar, name="calendar"),
]
