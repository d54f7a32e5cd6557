"""Lines of the audit log as sentences: "Nora Ellis, therapist, opened the visit page"."""

from django.apps import apps
from django.db.models.options import Options

from clinic.audit.models import AccessEvent, Action, Who, describe_type

WHO = {
    Who.LINK: "The patient, by their link,",
    Who.OUTSIDE: "A form or a text from outside",
    Who.SITE: "The site itself",
}
UNKNOWN = "A patient, or the site itself,"  # rows from before `who` was recorded

PAGES = {
    "admin:index": "opened Today",
    "admin:autocomplete": "looked up patients by name",
    "admin:audit_accessevent_patient": "opened the list of who has seen the patient",
    "admin:practice_patient_end_links": "ended the links of the patient",
}
# The last part of the name of an admin page: what opening it means. {one} is the record, {many} several.
ENDINGS = {
    "changelist": "opened the list of {many}",
    "change": "opened the {one} page",
    "history": "opened the history of the {one}",
    "delete": "opened the page that deletes the {one}",
    "add": "looked up a patient for a new {one}",
    "export": "exported the {one}",
    "move": "opened the page that moves the {one}",
    "erase": "opened the page that erases the {one}",
    "merge": "opened the page that merges the {one} with another",
}
DONE = {
    Action.CREATE: "added the {one}",
    Action.READ: "read the {one}",
    Action.UPDATE: "changed the {one}",
    Action.DELETE: "deleted the {one}",
    Action.EXECUTE: "acted on the {one}",
}


def describe_event(event: AccessEvent) -> str:
    """Return the sentence of `event`, without a final period. Reads `event.actor`."""
    return f"{describe_who(event)} {describe_deed(event)}"


def describe_who(event: AccessEvent) -> str:
    """Return who acted, with the roles at that time."""
    if event.actor is not None:
        return f"{event.actor}, {event.roles}," if event.roles else str(event.actor)
    return WHO.get(Who(event.who), UNKNOWN) if event.who else UNKNOWN


def describe_deed(event: AccessEvent) -> str:
    """Return what was done, by the page if one was read, else by the action on the record."""
    words = {"one": describe_type(event.object_type) if event.object_type else "record"}
    if event.action != Action.READ and event.object_type:
        return DONE[Action(event.action)].format(**words)
    if event.page in PAGES:
        return PAGES[event.page]
    namespace, _, name = event.page.rpartition(":")
    if namespace == "admin" and (found := _model_of(name)):
        options, ending = found
        words = {"one": str(options.verbose_name), "many": str(options.verbose_name_plural)}
        if event.action == Action.READ and ending in ENDINGS:
            return ENDINGS[ending].format(**words)
        return f"used “{ending.replace('_', ' ')}” of the {words['one']}"
    if name:
        verb = "opened" if event.action == Action.READ else "sent"
        return f"{verb} the page “{name.replace('_', ' ')}”"
    return DONE[Action(event.action)].format(**words)


def _model_of(name: str) -> tuple[Options, str] | None:
    """Return the model of an admin page, and the last part of the page's name."""
    app, _, rest = name.partition("_")
    model, _, ending = rest.partition("_")
    try:
        return apps.get_model(app, model)._meta, ending
    except LookupError:
        return None
