"""A paused playbook lets nobody in; whoever is in it already goes on."""

from __future__ import annotations

from orchestrator.errors import NotFound
from orchestrator.service.context import ServiceContext


def pause(services: ServiceContext, playbook: str, *, reason: str) -> None:
    """Let nobody in until :func:`resume`. Pausing twice keeps the first reason. Raises NotFound."""
    with services.store.begin() as transaction:
        if not transaction.playbooks.is_published(playbook):
            raise NotFound("playbook", playbook)
        transaction.playbooks.pause(playbook, reason=reason, now=transaction.instants().business)


def resume(services: ServiceContext, playbook: str) -> None:
    """Let people in again. A playbook that is not paused stays as it is."""
    with services.store.begin() as transaction:
        transaction.playbooks.resume(playbook)
