"""URLs of the mailbox, under /_mail/."""

from django.urls import path

from clinic.local.mailbox import views

app_name = "mailbox"
urlpatterns = [
    path("", views.mailbox, name="list"),
    path("<str:mail_id>/", views.message, name="message"),
    path("<str:mail_id>/html/", views.message_html, name="html"),
    path("<str:mail_id>/attachments/<int:number>/", views.attachment, name="attachment"),
]
