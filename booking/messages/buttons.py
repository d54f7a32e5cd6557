"""Buttons and links of emails about a visit. Each `VisitKind` uses one of these functions as its `buttons`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VisitLinks:
    """URLs for an email, and the facts that determine its button. `intake` is empty if no questions are unanswered."""

    visit: str
    intake: str
    booking: str
    is_standing: bool
    is_confirmed: bool
    is_changeable: bool  # online, by the patient


SAMPLE_LINKS = VisitLinks(
    visit="https://clinic.example/visits/…/",
    intake="https://clinic.example/intake/…/",
    booking="https://clinic.example/book/",
    is_standing=True,
    is_confirmed=False,
    is_changeable=True,
)


def see_visit(links: VisitLinks) -> dict[str, str]:
    """Link to the visit's page, and to the questions if some are unanswered."""
    text = "See or change your visit" if links.is_changeable else "See your visit"
    return {"button_url": links.visit, "button_text": text, "intake_url": links.intake}


def ask_whether_coming(links: VisitLinks) -> dict[str, str]:
    """Ask to confirm the visit, or `see_visit` if the visit is already confirmed or not booked."""
    if not links.is_standing or links.is_confirmed:
        return see_visit(links)
    return {
        "button_url": f"{links.visit}coming/",
        "button_text": "I’ll be there",
        "not_coming_url": f"{links.visit}not-coming/",
        "see_url": links.visit,
        "intake_url": links.intake,
    }


def choose_another_time(links: VisitLinks) -> dict[str, str]:
    """Link to the free times to which the visit can be moved, and to the visit's page."""
    if not links.is_changeable:
        return see_visit(links)
    return {"button_url": f"{links.visit}move/", "button_text": "Choose another time", "see_url": links.visit}


def answer_questions(links: VisitLinks) -> dict[str, str]:
    """Link to the unanswered questions and the visit's page, or `see_visit` if there are none."""
    if not links.intake:
        return see_visit(links)
    return {"button_url": links.intake, "button_text": "Answer the questions", "see_url": links.visit}


def book_again(links: VisitLinks) -> dict[str, str]:
    """Link to the list of services."""
    return {"button_url": links.booking, "button_text": "Book another visit"}
