from django.urls import path

from . import views

app_name = "assessments"
urlpatterns = [
    path("<str:token>/", views.start, name="start"),
    path("<str:token>/page/<path:page>/", views.page, name="page"),
    path("<str:token>/stop/", views.stop, name="stop"),
    path("<str:token>/check/", views.check, name="check"),
    path("<str:token>/done/", views.done, name="done"),
]
