"""Ask staff to confirm their sign-in, by password or second step, before a sensitive page."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from clinic.responses.redirects import see_other


def must_confirm(request: HttpRequest) -> bool:
    """Whether the sign-in of this request is older than RECENT (`adapter`) and was not confirmed since."""
    return is_reauthentication_required(request, app="")


def ask_to_confirm(request: HttpRequest, *, back: str) -> HttpResponse:
    """Redirect to the confirmation, which leads to the page `back`.

    allauth can send the form of the request again by itself. That would act at another address than the one recorded
    in the audit log, so staff press the button again. Raises PermissionDenied if the account has nothing to confirm by.
    """
    ways = get_adapter().get_reauthentication_methods(request.user)
    if not ways:
        raise PermissionDenied
    return see_other(f"{ways[0]['url']}?{urlencode({'next': back})}")
