"""The state machine decides where an enrollment goes: ``decide`` enters what the machine answers, and nothing else."""

from __future__ import annotations

from orchestrator.core.machine.events import Stopped
from orchestrator.language.graph.compile import Compiled
from tests.support.enrollment_driver import EnrollmentDriver, playbook

STEPS = """
ask:   {send: {channel: email, template: ask}, wait: 1d, then: {clicked: sold, no_response: quiet}}
sold:  {end: sold}
quiet: {end: quiet}
"""


def walking(compiled: Compiled) -> EnrollmentDriver:
    driver = EnrollmentDriver(STEPS)
    driver.compiled = compiled
    return driver.send()


def redirected(trigger: str, to: str) -> Compiled:
    """The playbook, with one transition of its machine leading elsewhere than the playbook says."""
    compiled = Compiled(playbook(STEPS))
    [transition] = compiled.machine.get_transitions(trigger, "ask")
    transition.dest = to
    return compiled


def test_a_step_is_left_for_where_the_machine_leads() -> None:
    route = Compiled(playbook(STEPS)).route("ask", "email", "clicked")
    assert route is not None
    assert route.to == "sold"

    as_written = walking(Compiled(playbook(STEPS)))
    as_written.respond("clicked")
    assert as_written.at == "end:sold"

    elsewhere = walking(redirected(route.trigger, "quiet"))
    elsewhere.respond("clicked")
    assert elsewhere.at == "end:quiet"
    [left] = [line for line in elsewhere.journal if line.event == "step_left"]
    assert (left.outcome, left.to_step) == ("clicked", "quiet")


def test_an_end_from_outside_is_the_end_the_machine_leads_to() -> None:
    as_written = walking(Compiled(playbook(STEPS)))
    as_written.tell(Stopped(why="somebody said so"))
    assert as_written.at == "end:stopped"

    elsewhere = walking(redirected("engine:stop", "left"))
    elsewhere.tell(Stopped(why="somebody said so"))
    assert elsewhere.at == "end:left"
