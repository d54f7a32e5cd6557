"""URLs of booking.

Pages to choose and book a visit, pages of a booked visit, links for returning patients, the wait list and its offers,
and calendar feeds.
"""

from django.urls import path, register_converter

from booking.converters import DayConverter, InstantConverter
from booking.pages import (
    address,
    answer,
    calendar_feed,
    choose,
    confirm_address,
    details,
    here,
    hold,
    move,
    return_link,
    slot_offer,
    visit,
    wait_list,
)

register_converter(DayConverter, "day")
register_converter(InstantConverter, "instant")

TIME = "book/<slug:slug>/<slug:therapist_slug>/<instant:starts_at>/"

app_name = "booking"
urlpatterns = [
    path("book/", choose.services, name="services"),
    path("book/<slug:slug>/", choose.days, name="days"),
    path("book/<slug:slug>/<day:day>/", choose.times, name="times"),
    path("book/<slug:slug>/wait/", wait_list.join, name="join_wait_list"),
    path("book/<slug:slug>/wait/joined/", wait_list.joined, name="joined_wait_list"),
    path(TIME, details.details, name="details"),
    path(TIME + "hold/", hold.hold, name="hold"),
    path(TIME + "form/", hold.unheld, name="unheld"),
    path(TIME + "held/<str:token>/", hold.held, name="held"),
    path(TIME + "held/<str:token>/renew/", hold.renew, name="renew_hold"),
    path(TIME + "held/<str:token>/release/", hold.release, name="release_hold"),
    path("again/", return_link.ask, name="return"),
    path("again/asked/", return_link.asked, name="return_asked"),
    path("again/not-me/", return_link.not_me, name="not_me"),
    path("again/confirmed/", confirm_address.confirmed, name="address_confirmed"),
    path("again/confirm/<str:token>/", confirm_address.confirm, name="confirm_address"),
    path("again/<str:token>/", return_link.welcome_back, name="welcome_back"),
    path("visits/<str:token>/again/", return_link.again, name="again"),
    path("visits/<str:token>/", visit.visit, name="visit"),
    path("visits/<str:token>/cancel/", visit.cancel, name="cancel"),
    path("visits/<str:token>/undo/", visit.undo, name="undo"),
    path("visits/<str:token>/move/", move.move_days, name="move_days"),
    path("visits/<str:token>/move/<day:day>/", move.move_times, name="move_times"),
    path("visits/<str:token>/move/<instant:starts_at>/", move.move, name="move"),
    path("visits/<str:token>/address/", address.address, name="address"),
    path("visits/<str:token>/first-name/", answer.first_name, name="first_name"),
    path("visits/<str:token>/mail/", address.mail_again, name="mail_again"),
    path("visits/<str:token>/newest-link/", address.newest_link, name="newest_link"),
    path("visits/<str:token>/confirm/", visit.confirm, name="confirm"),
    path("visits/<str:token>/here/", here.here, name="here"),
    path("visits/<str:token>/not-here/", here.not_here, name="not_here"),
    path("visits/<str:token>/coming/", answer.coming, name="coming"),
    path("visits/<str:token>/messages/", answer.messages, name="messages"),
    path("visits/<str:token>/not-coming/", answer.not_coming, name="not_coming"),
    path("visits/<str:token>/earlier/", wait_list.earlier, name="earlier"),
    path("visits/<str:token>/questions/", visit.questions, name="questions"),
    path("visits/of/<str:token>/", visit.visit_of_answers, name="visit_of_answers"),
    path("visits/<str:token>/visit.ics", visit.calendar, name="calendar"),
    path("waiting/<str:token>/", wait_list.entry, name="waiting"),
    path("waiting/<str:token>/leave/", wait_list.leave, name="leave_wait_list"),
    path("offers/<str:token>/", slot_offer.offer, name="offer"),
    path("calendars/<str:token>/visits.ics", calendar_feed.feed, name="feed"),
]
