"""Booking a visit, and the page of a visit one has booked."""

from django.urls import path, register_converter

from booking.paths import DayConverter, InstantConverter
from booking.views import (
    addressing,
    answer,
    choose,
    details,
    feed,
    holding,
    manage,
    moving,
    offer,
    own_address,
    returning,
    waiting,
)

register_converter(DayConverter, "day")
register_converter(InstantConverter, "instant")

TIME = "book/<slug:slug>/<slug:therapist_slug>/<instant:starts_at>/"

app_name = "booking"
urlpatterns = [
    path("book/", choose.services, name="services"),
    path("book/<slug:slug>/", choose.days, name="days"),
    path("book/<slug:slug>/<day:day>/", choose.times, name="times"),
    path("book/<slug:slug>/wait/", waiting.join, name="join_wait_list"),
    path("book/<slug:slug>/wait/joined/", waiting.joined, name="joined_wait_list"),
    path(TIME, details.details, name="details"),
    path(TIME + "hold/", holding.hold, name="hold"),
    path(TIME + "form/", holding.unheld, name="unheld"),
    path(TIME + "held/<str:token>/", holding.held, name="held"),
    path(TIME + "held/<str:token>/renew/", holding.renew, name="renew_hold"),
    path(TIME + "held/<str:token>/release/", holding.release, name="release_hold"),
    path("again/", returning.ask, name="return"),
    path("again/asked/", returning.asked, name="return_asked"),
    path("again/not-me/", returning.somebody_else, name="somebody_else"),
    path("again/confirmed/", own_address.confirmed, name="address_confirmed"),
    path("again/confirm/<str:token>/", own_address.confirm, name="confirm_address"),
    path("again/<str:token>/", returning.welcome_back, name="welcome_back"),
    path("visits/<str:token>/again/", returning.again, name="again"),
    path("visits/<str:token>/", manage.visit, name="visit"),
    path("visits/<str:token>/cancel/", manage.cancel, name="cancel"),
    path("visits/<str:token>/undo/", manage.undo, name="undo"),
    path("visits/<str:token>/move/", moving.move_days, name="move_days"),
    path("visits/<str:token>/move/<day:day>/", moving.move_times, name="move_times"),
    path("visits/<str:token>/move/<instant:starts_at>/", moving.move, name="move"),
    path("visits/<str:token>/address/", addressing.address, name="address"),
    path("visits/<str:token>/first-name/", answer.first_name, name="first_name"),
    path("visits/<str:token>/mail/", addressing.mail_again, name="mail_again"),
    path("visits/<str:token>/newest-link/", addressing.newest_link, name="newest_link"),
    path("visits/<str:token>/confirm/", manage.confirm, name="confirm"),
    path("visits/<str:token>/coming/", answer.coming, name="coming"),
    path("visits/<str:token>/messages/", answer.messages, name="messages"),
    path("visits/<str:token>/not-coming/", answer.not_coming, name="not_coming"),
    path("visits/<str:token>/earlier/", waiting.earlier, name="earlier"),
    path("visits/<str:token>/questions/", manage.questions, name="questions"),
    path("visits/of/<str:token>/", manage.visit_of_answers, name="visit_of_answers"),
    path("visits/<str:token>/visit.ics", manage.calendar, name="calendar"),
    path("waiting/<str:token>/", waiting.entry, name="waiting"),
    path("waiting/<str:token>/leave/", waiting.leave, name="leave_wait_list"),
    path("offers/<str:token>/", offer.offer, name="offer"),
    path("calendars/<str:token>/visits.ics", feed.feed, name="feed"),
]
