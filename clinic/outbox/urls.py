"""URLs of the page for message choices, and of the webhooks of email and text providers."""

from django.urls import path

from clinic.outbox import views, webhooks

app_name = "outbox"
urlpatterns = [
    path("mail/mailgun/", webhooks.mailgun, name="mailgun"),
    path("mail/postmark/", webhooks.postmark, name="postmark"),
    path("texts/twilio/", webhooks.twilio, name="twilio"),
    path("texts/twilio/<uuid:pk>/", webhooks.twilio_status, name="twilio_status"),
    path("<str:token>/", views.messages, name="messages"),
    path("<str:token>/stop/", views.stop, name="stop"),
    path("<str:token>/start/", views.start, name="start"),
    path("<str:token>/texts/", views.texts, name="texts"),
]
