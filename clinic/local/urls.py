"""Under /_mail/. The slug converter knows no dot and no slash, so an id cannot leave the mailbox's folder."""

from django.urls import path

from clinic.local import views

app_name = "mailbox"
urlpatterns = [
    path("", views.mailbox, name="list"),
    path("<slug:mail_id>/", views.message, name="message"),
    path("<slug:mail_id>/html/", views.message_html, name="html"),
    path("<slug:mail_id>/attachments/<int:number>/", views.attachment, name="attachment"),
]
