"""How therapist and patient meet, as one table with a row for each mode. Pure.

Everything that depends on a visit's mode is read from its row. To add a mode, add its row and run makemigrations,
because the choices of the columns and the constraints list the names in this table.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VisitMode:
    """One mode: its stored name, its texts, and the facts that code depends on."""

    name: str
    label: str  # in lists and in calendars: "Visit, by phone"
    how: str  # in a sentence for the patient: "Your visit is now by phone"
    choice: str  # an option of a patient's form
    staff_choice: str  # an option of a service's form
    place: str  # where the visit is; may contain {clinic} (name and address) and {number} (the patient's, or "you")
    guardian_task: str  # of the parent or guardian of a patient under 18
    is_at_clinic: bool = False  # if so, patients get the clinic's address, directions and what to bring
    is_by_clinics_clock: bool = False  # its times are shown in the clinic's zone; otherwise in the patient's
    needs_number: bool = False  # the therapist calls the patient


MODES = {  # in the order in which they are offered
    mode.name: mode
    for mode in (
        VisitMode(
            name="in_person",
            label="in person",
            how="at the clinic",
            choice="At the clinic",
            staff_choice="In person: the patient comes to the clinic.",
            place="{clinic}",
            guardian_task="come along and sign the consent form",
            is_at_clinic=True,
            is_by_clinics_clock=True,
        ),
        VisitMode(
            name="video",
            label="by video",
            how="by video",
            choice="By video: we send you a link",
            staff_choice="By video: you send the patient a link before the visit.",
            place="By video: we will send you a link before we start.",
            guardian_task="be there for the talk",
        ),
        VisitMode(
            name="phone",
            label="by phone",
            how="by phone",
            choice="By phone: we call you",
            staff_choice="By phone: you call the patient at the time of the visit.",
            place="By phone: we will call {number}.",
            guardian_task="be there for the talk",
            needs_number=True,
        ),
    )
}
DEFAULT_MODE = "in_person"
MODE_CHOICES = [(mode.name, mode.label) for mode in MODES.values()]
