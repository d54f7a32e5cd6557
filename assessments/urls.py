from django.urls import path

from assessments.pages import confirm, intake, screen

app_name = "assessments"
urlpatterns = [
    path("screen/", screen.begin, name="screen"),
    path("screen/stop/", screen.stop, name="screen_stop"),
    path("screen/page/<str:page>/", screen.page, name="screen_page"),
    path("<str:token>/", intake.start, name="start"),
    path("<str:token>/page/<path:page>/", intake.page, name="page"),
    path("<str:token>/stop/", intake.stop, name="stop"),
    path("<str:token>/check/", intake.check, name="check"),
    path("<str:token>/confirm/", confirm.confirm_identity, name="confirm"),
    path("<str:token>/done/", intake.done, name="done"),
]
