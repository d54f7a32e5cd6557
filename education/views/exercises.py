"""The pages of exercises, warm-up and stretches, and their drawings as files."""

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_safe

from clinic.practice.models import Clinic
from clinic.responses.addresses import describe_address
from clinic.responses.headers import keep_public
from education.exercises.drawn import cover_of, frame_file, frames_of, motion_file, style_policy
from education.exercises.library import Exercise, public_exercises, read_exercises

A_DAY_S = 24 * 60 * 60
PROGRAM = ("standing-band-lift", "step-up", "side-leg-raise", "side-plank", "calf-raise")
STRETCHES = ("half-kneeling-stretch", "couch-stretch", "edge-of-bed-stretch")


@require_safe
@conditional_page
def exercises(request: HttpRequest) -> HttpResponse:
    """List the exercises by group, each with a drawing."""
    shown = [(one, cover_of(one.code)) for one in _public()]
    groups = [(name, list(rows)) for name, rows in groupby(shown, key=lambda row: row[0].group)]
    return _page(request, "index", {"groups": groups})


@require_safe
@conditional_page
def exercise(request: HttpRequest, code: str) -> HttpResponse:
    """Show one exercise. Raises Http404 if it is unknown or not public."""
    public = _public()
    found = next((one for one in public if one.code == code), None)
    if found is None:
        raise Http404
    others = [one for one in public if one.group == found.group and one is not found]
    context = {"exercise": found, "frames": frames_of(code), "others": others, "moves": bool(found.drawing.loop)}
    return _page(request, "exercise", context)


@require_safe
@conditional_page
def warm_up(request: HttpRequest) -> HttpResponse:
    """Show the warm-up before a run. Raises Http404 if the clinic hides what is not reviewed."""
    _public()
    return _page(request, "warm_up", {"frames": frames_of("warm-up"), "stride": frames_of("running-stride")})


@require_safe
@conditional_page
def stretches(request: HttpRequest) -> HttpResponse:
    """Show the stretches for the front of the hip. Raises Http404 if the clinic hides what is not reviewed."""
    _public()
    return _page(request, "stretches", {code.replace("-", "_"): frames_of(code) for code in STRETCHES})


@require_safe
@conditional_page
def strength(request: HttpRequest) -> HttpResponse:
    """Show a runner's strength session with its numbers. Raises Http404 if the clinic hides what is not reviewed."""
    _public()
    lines = [(read_exercises()[code], cover_of(code)) for code in PROGRAM]
    return _page(request, "strength", {"lines": lines})


@require_safe
@conditional_page
def drawing(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Return one frame as SVG. Raises Http404 for an unknown drawing or frame."""
    try:
        return _picture(frame_file(code, number))
    except (KeyError, IndexError):
        raise Http404 from None


@require_safe
@conditional_page
def motion(request: HttpRequest, code: str) -> HttpResponse:
    """Return a drawing in motion as SVG. Raises Http404 for an unknown drawing, or one that does not move."""
    try:
        return _picture(motion_file(code))
    except (KeyError, ValueError):
        raise Http404 from None


def _public() -> list[Exercise]:
    """Return the public exercises. Raises Http404 if there are none."""
    found = public_exercises(clinic=Clinic.objects.current())
    if not found:
        raise Http404
    return found


def _page(request: HttpRequest, name: str, context: dict) -> HttpResponse:
    clinic = Clinic.objects.current()
    context = {**context, "emergency_number": clinic.emergency_number, **describe_address(request)}
    return keep_public(render(request, f"education/exercises/{name}.html", context))


def _picture(svg: str) -> HttpResponse:
    response = HttpResponse(svg, content_type="image/svg+xml")
    patch_cache_control(response, public=True, max_age=A_DAY_S)
    response["Content-Security-Policy"] = style_policy(svg)
    return response
