"""Follow-ups as FHIR Communications, read by an independent library."""

import pytest
from fhir.resources.R4B.communication import Communication

from assessments.fhir_json.communications import MODE, NOT_REACHED, write_communication
from assessments.models import Reached
from tests.world import NOW

IDS = {"id": "a", "patient": "p", "flag": "f"}


@pytest.mark.parametrize("reached", Reached)
def test_contact_is_a_valid_communication(reached):
    written = write_communication(**IDS, reached=reached, at=NOW, note="Will rest")
    read = Communication.model_validate(written)
    assert read.status == ("not-done" if reached == Reached.NOT_REACHED else "completed")
    assert (read.subject.reference, read.about[0].reference, read.sent) == ("Patient/p", "Flag/f", NOW)
    assert read.note[0].text == "Will rest"
    assert bool(read.medium) == (reached != Reached.NOT_REACHED)


def test_entry_without_a_contact_is_no_communication():
    assert write_communication(**IDS, reached="", at=NOW, note="") is None


def test_every_way_to_reach_a_patient_has_a_mode():
    assert {*MODE, NOT_REACHED} == set(Reached.values)
