from django.urls import path

from education.views import checks, exercises, feed, reading, search

app_name = "education"
urlpatterns = [
    path("", reading.index, name="index"),
    path("search/", search.search, name="search"),
    path("feed/", feed.NewArticles(), name="feed"),
    path("glossary/", reading.glossary, name="glossary"),
    path("load-check/", checks.load_check, name="load_check"),
    path("pain-guide/", checks.pain_guide, name="pain_guide"),
    path("where-does-it-hurt/", checks.body_sites, name="body_sites"),
    path("exercises/", exercises.exercises, name="exercises"),
    path("exercises/warm-up/", exercises.warm_up, name="warm_up"),
    path("exercises/stretches/", exercises.stretches, name="stretches"),
    path("exercises/strength/", exercises.strength, name="strength"),
    path("exercises/<slug:code>/", exercises.exercise, name="exercise"),
    path("drawings/<slug:code>/<int:number>.svg", exercises.drawing, name="drawing"),
    path("drawings/<slug:code>/motion.svg", exercises.motion, name="motion"),
    path("topics/<slug:slug>/", reading.topic, name="topic"),
    path("<slug:slug>/share.png", reading.share_image, name="share_image"),
    path("<slug:slug>/", reading.article, name="article"),
]
