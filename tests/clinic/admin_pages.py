"""The permissions to open and to act on each admin page. A new page must be entered here.

A permission is "app.codename". The entries of a tuple are alternatives; "+" joins permissions that are all required.
Not permissions are "anyone" (staff, and visitors who have not signed in), "staff" (users with a role or a permission)
and "owner".
"""

import re
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver

# The admin forms of each model. The permission to view or the permission to change opens "view".
FORMS = {
    "audit.accessevent": "view",
    "audit.signinevent": "view",
    "practice.clinic": "view change",
    "practice.cleanuprun": "view",
    "practice.therapist": "view add change",
    "practice.patient": "view add change",
    "practice.user": "view",  # and OWNERS
    "outbox.textconsent": "view",
    "outbox.inboundtext": "view",
    "outbox.message": "view",
    "outbox.messagerule": "view add change delete",
    "outbox.suppression": "view delete",
    "education.picture": "view add change delete",
    "education.topic": "view add change delete",
    "education.article": "view add change delete",
    "assessments.flag": "view",
    "assessments.questionnaire": "view",
    "assessments.response": "view",
    "assessments.rulesignoff": "view",
    "booking.calendarfeed": "view add",
    "booking.openinghours": "view add change delete",
    "booking.hoursoverride": "view add change delete",
    "booking.service": "view add change",
    "booking.appointment": "view add",
    "booking.waitlistentry": "view add change",
}
ALSO_VIEWED_BY = {
    "assessments.questionnaire": ("assessments.import_questionnaire", "assessments.publish_questionnaire"),
    "assessments.rulesignoff": ("assessments.sign_off_rules",),
}
# Lists whose detail page answers a POST like a GET, because it has no editable field.
SHOWN_ONLY = {"assessments.flag", "assessments.questionnaire", "assessments.response"}

# Permissions that open no page by themselves.
ONLY_WITH = {
    "practice.export_patient": "practice.view_patient",
    "practice.merge_patient": "practice.view_patient",
    "practice.erase_patient": "practice.view_patient",
    "outbox.delete_suppression": "outbox.view_suppression",
}

ANYONE, STAFF, OWNERS, NO_ONE = ("anyone",), ("staff",), ("owner",), ()
MESSAGE_WRITERS = ("outbox.add_messagerule", "outbox.change_messagerule")
ARTICLE_WRITERS = ("education.add_article", "education.change_article")


VISIT_ACTS = (
    *("arrived", "undo-arrival", "start", "undo-start", "finish", "undo-finish", "no-show", "undo-no-show"),
    *(
        "cancel",
        "cancel-charged",
        "cancel-waived",
        "fee-charged",
        "fee-waived",
        "fee-undo",
        "called",
        "undo",
        "undo-move",
        "silence-move",
        "ask-to-move",
    ),
)


def viewers(model: str) -> tuple[str, ...]:
    app, name = model.split(".")
    return f"{app}.view_{name}", f"{app}.change_{name}", *ALSO_VIEWED_BY.get(model, ())


@dataclass(frozen=True)
class Page:
    """A page of the admin.

    `opens`: permissions for GET. `acts`: permissions to POST `data`. None: the method is not allowed.
    `args` fill its URL. `door`: where visitors who have not signed in are redirected.
    """

    opens: tuple[str, ...] | None
    acts: tuple[str, ...] | None
    args: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    door: str = "/admin/login/?next="


def pages_of(rows: dict[str, str], topic_type: int) -> dict[str, list[Page]]:
    """Return every page by its name, or by its route if it has none.

    `rows` has the pk of a row of each model; `topic_type` is a content type.
    """
    pages = {
        "index": [Page(STAFF, STAFF)],
        "login": [Page(ANYONE, ANYONE)],
        "logout": [Page(None, STAFF, door="/admin/")],
        "password_change": [Page(STAFF, STAFF)],
        "password_change_done": [Page(STAFF, None)],
        "jsi18n": [Page(STAFF, None)],
        "autocomplete": [
            Page(None, viewers("practice.patient"), data=_searched("booking", "waitlistentry", "patient")),
            Page(None, viewers("practice.user"), data=_searched("practice", "therapist", "user")),
        ],
        "view_on_site": [
            Page(
                viewers("education.topic"),
                viewers("education.topic"),
                {"content_type_id": topic_type, "object_id": rows["education.topic"]},
            )
        ],
        "(?P<url>.*)$": [Page(NO_ONE, NO_ONE, {"url": "nowhere"})],
        "practice_user_act": [
            Page(None, OWNERS, {"pk": rows["practice.user"], "act": act}) for act in ("link", "sessions", "factors")
        ],
        "audit_accessevent_patient": [Page(viewers("audit.accessevent"), None, {"pk": rows["practice.patient"]})],
        "audit_accessevent_unusual": [Page(viewers("audit.accessevent"), None)],
        "practice_patient_end_links": [Page(None, ("practice.change_patient",), {"pk": rows["practice.patient"]})],
        "practice_patient_export": [Page(None, _with_patients("export"), {"pk": rows["practice.patient"]})],
        "practice_patient_erase": [
            Page(_with_patients("erase"), _with_patients("erase"), {"pk": rows["practice.patient"]})
        ],
        "practice_patient_merge": [
            Page(
                _with_patients("merge"),
                _with_patients("merge"),
                {"pk": rows["practice.patient"], "other": rows["practice.patient"]},
            )
        ],
        "outbox_inboundtext_read": [Page(None, ("outbox.change_inboundtext",), {"pk": rows["outbox.inboundtext"]})],
        "outbox_message_act": [
            Page(None, ("outbox.change_message",), {"pk": rows["outbox.message"], "act": act})
            for act in ("resend", "cancel")
        ],
        "outbox_messagerule_preview": [Page(None, MESSAGE_WRITERS)],
        "outbox_messagerule_html": [Page(MESSAGE_WRITERS, None, {"place": 0})],
        "education_article_preview": [Page(None, ARTICLE_WRITERS)],
        "education_article_revisions": [_only("education.change_article", pk=rows["education.article"])],
        "assessments_questionnaire_upload": [_only("assessments.import_questionnaire")],
        "assessments_questionnaire_publish": [
            Page(None, ("assessments.publish_questionnaire",), {"pk": rows["assessments.questionnaire"]})
        ],
        "assessments_response_export": [
            Page(viewers("assessments.response"), None, {"pk": rows["assessments.response"]})
        ],
        "assessments_flag_acknowledge": [
            Page(
                None,
                ("assessments.change_flag",),
                {"pk": rows["assessments.response"], "flag": rows["assessments.flag"]},
            )
        ],
        "assessments_flag_follow_up": [
            Page(viewers("assessments.flag"), ("assessments.change_flag",), {"pk": rows["assessments.flag"]})
        ],
        "assessments_flag_reopen": [Page(None, ("assessments.change_flag",), {"pk": rows["assessments.flag"]})],
        "assessments_flag_rules": [Page(viewers("assessments.flag"), None)],
        "assessments_rules_sign": [Page(None, ("assessments.sign_off_rules",))],
        "booking_hoursoverride_holidays": [_only("booking.add_hoursoverride")],
        "booking_appointment_find": [Page(("booking.add_appointment",), None)],
        "booking_appointment_act": [
            Page(None, ("booking.change_appointment",), {"pk": rows["booking.appointment"], "act": act})
            for act in VISIT_ACTS
        ],
        "booking_appointment_card": [Page(viewers("booking.appointment"), None, {"pk": rows["booking.appointment"]})],
        "booking_appointment_calendar": [Page(viewers("booking.appointment"), None)],
        "booking_appointment_move": [_only("booking.change_appointment", pk=rows["booking.appointment"])],
        "booking_waitlistentry_offer": [Page(None, ("booking.change_waitlistentry",))],
        "app_list": [Page(_rights_in(app), _rights_in(app), {"app_label": app}) for app in _apps()],
    }
    for model, forms in FORMS.items():
        pages |= _forms_of(model, forms.split(), rows[model])
    pages["practice_user_add"] = [Page(OWNERS, OWNERS)]
    pages["practice_user_change"] = [
        Page(viewers("practice.user"), OWNERS, {"object_id": rows["practice.user"]}),
    ]
    return pages


def _only(right: str, **args) -> Page:
    return Page((right,), (right,), args)


def _with_patients(verb: str) -> tuple[str, ...]:
    return tuple(f"practice.{verb}_patient+{right}" for right in viewers("practice.patient"))


def _searched(app: str, model: str, name: str) -> dict:
    return {"term": "a", "app_label": app, "model_name": model, "field_name": name}


def _apps() -> list[str]:
    return sorted({model.split(".")[0] for model in FORMS})


def _rights_in(app: str) -> tuple[str, ...]:
    """Return every permission that opens a list or a form of `app`."""
    found = []
    for model, forms in FORMS.items():
        if model.startswith(app + ".") and model != "outbox.textconsent":  # listed only when texting is set up
            found += viewers(model)
            found += [_right(model, verb) for verb in forms.split() if verb != "view"]
    return tuple(found)


def _right(model: str, verb: str) -> str:
    app, name = model.split(".")
    right = f"{app}.{verb}_{name}"
    return f"{right}+{ONLY_WITH[right]}" if right in ONLY_WITH else right


def _forms_of(model: str, forms: list[str], pk: str) -> dict[str, list[Page]]:
    name, row, see = model.replace(".", "_"), {"object_id": pk}, viewers(model)
    change = see if model in SHOWN_ONLY else (_right(model, "change"),) if "change" in forms else NO_ONE
    add = (_right(model, "add"),) if "add" in forms else NO_ONE
    delete = (_right(model, "delete"),) if "delete" in forms else NO_ONE
    return {
        f"{name}_changelist": [Page(see, see)],
        f"{name}_add": [Page(add, add)],
        f"{name}_change": [Page(see, change, row)],
        f"{name}_history": [Page(see, see, row)],
        f"{name}_delete": [Page(delete, delete, row, {"post": "yes"})],
        f"{model.replace('.', '/')}/<path:object_id>/": [Page(STAFF, STAFF, row)],
    }


def routes_of_the_admin() -> dict[str, str]:
    """Return the route of each URL under /admin/, by its name, or by its last part if it has none."""
    admin = next(part for part in get_resolver().url_patterns if str(part.pattern) == "admin/")
    return {pattern.name or route: f"admin/{route}" for route, pattern in walk(admin)}


def walk(resolver: URLResolver, prefix: str = ""):
    """Yield (route, pattern) for each URL below `resolver`."""
    for part in resolver.url_patterns:
        route = prefix + str(part.pattern)
        if isinstance(part, URLPattern):
            yield route, part
        else:
            yield from walk(part, route)


def address_of(route: str, args: dict) -> str:
    """Return the URL of `route`, with `args` in place of its converters."""
    plain = re.sub(r"<(?:\w+:)?(\w+)>|\^?\(\?P<(\w+)>[^)]*\)", lambda match: str(args[match[1] or match[2]]), route)
    return "/" + plain.replace("/$", "/").replace("$", "/")
