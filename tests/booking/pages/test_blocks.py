"""The blocks of a visit's page: registered by the rooms, each shown only with enough proof."""

from dataclasses import replace

import pytest
import time_machine

from booking.schedule.visit_links import visit_path
from clinic.practice.access.proof import Capability
from clinic.practice.models import Proof
from clinic.practice.registry import blocks as registry
from clinic.practice.registry.blocks import blocks, register_block
from tests.patient_record import make_response
from tests.world import NINE_ON_TUESDAY, NOW, book


@pytest.fixture
def visit(evaluation, charlie, twilio):
    visit = book(evaluation)
    visit.intake = make_response(visit.patient, charlie)
    visit.save()
    with time_machine.travel(NOW, tick=False):
        yield visit


def templates_of(client, visit, proof) -> set[str]:
    page = client.get(visit_path(visit, proof=proof, now=NOW))
    assert page.status_code == 200
    return {template.name for template in page.templates} & {block.template for block in blocks()}


def test_blocks_are_shown_as_far_as_the_link_proves_enough(client, visit):
    for proof in (Proof.SHOWN, Proof.MAILED):
        enough = {block.template for block in blocks() if block.capability.proof <= proof}
        assert templates_of(client, visit, proof) == enough
    assert {block.capability.proof for block in blocks()} == {Proof.SHOWN, Proof.MAILED}


def test_block_without_enough_proof_is_not_read(client, visit, monkeypatch):
    def unread(*args, **kwargs):
        raise AssertionError("read without proof")

    guarded = [replace(block, read=unread) if block.capability.proof > Proof.SHOWN else block for block in blocks()]
    monkeypatch.setattr(registry, "_registered", guarded)
    assert templates_of(client, visit, Proof.SHOWN)


def test_visit_that_has_begun_has_no_block(client, visit):
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        page = client.get(visit_path(visit, proof=Proof.MAILED, now=NINE_ON_TUESDAY))
    assert all(parts == [] for parts in page.context["blocks"].values())


def test_block_needs_a_capability_of_the_visits_link():
    with pytest.raises(ValueError, match="link of a visit"):
        register_block(replace(blocks()[0], capability=Capability.CHOOSE_MESSAGES))
