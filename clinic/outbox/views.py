"""The page on which a reader says what we may write, by the link of a message."""

from functools import wraps

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.practice.links import open_link
from clinic.practice.models import Clinic, LinkPurpose

from .suppressions import is_unsubscribed, subscribe_again, unsubscribe
from .text_providers import has_texts
from .texts import consent_of, consent_words, give_consent, withdraw_consent


def by_link(view):
    """Hands the view the patient whose link it is. A link that does not open is answered by `clinic.practice.middleware`."""

    @wraps(view)
    @never_cache
    def opened(request, token):
        link = open_link(token=token, purpose=LinkPurpose.MESSAGES, now=timezone.now())
        response = view(request, token, link.patient)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return opened


@require_safe
@by_link
def messages(request, token, patient):
    """What we write, and a button for less or for more."""
    return _show(request, token, patient)


@csrf_exempt  # a mail program posts here for its reader (RFC 8058), with no page of ours open; the link is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def stop(request, token, patient):
    """Nothing any more that is not about a visit. Opening the link only asks."""
    if request.method != "POST":
        return _show(request, token, patient)
    unsubscribe(patient=patient, now=timezone.now())
    if "List-Unsubscribe" in request.POST:
        return HttpResponse(status=204)
    return HttpResponseRedirect(reverse("outbox:messages", args=[token]), status=303)


@require_POST
@by_link
def start(request, token, patient):
    """All of it again."""
    subscribe_again(patient=patient)
    return HttpResponseRedirect(reverse("outbox:messages", args=[token]), status=303)


@require_POST
@by_link
def texts(request, token, patient):
    """Agree to texts, in the words that the page shows, or end them. Only where there are any."""
    if not has_texts() or not patient.phone:
        raise Http404
    choice, now = request.POST.get("choice", ""), timezone.now()
    if choice in ("both", "texts"):
        give_consent(patient=patient, wording=consent_words(patient), instead_of_email=choice == "texts", now=now)
    elif choice == "email":
        withdraw_consent(phone=patient.phone, now=now)
    return HttpResponseRedirect(reverse("outbox:messages", args=[token]), status=303)


def _show(request, token, patient):
    context = {"clinic": Clinic.objects.current(), "token": token, "is_unsubscribed": is_unsubscribed(patient)}
    if has_texts() and patient.phone:
        consent = consent_of(patient)
        choice = "email" if consent is None else "texts" if consent.instead_of_email else "both"
        context |= {"text_choice": choice, "consent_words": consent_words(patient)}
    return render(request, "outbox/messages.html", context)
