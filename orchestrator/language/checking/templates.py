"""Checks the words: every message has its template, every template its names, every promotion its opt-out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from channels.table import traits_of
from orchestrator.language.checking.context import Checking
from orchestrator.language.conditions.computed import computed_needs
from orchestrator.language.conditions.requirements import names_needed
from orchestrator.language.model import All, Any, Ask, AtLeastOf, Condition, Handoff, Not, Send, Step
from orchestrator.language.outcomes import channels_of, kind_of
from orchestrator.language.problems import SourcePosition, did_you_mean, one_of, shown
from orchestrator.language.templates import (
    FUNCTIONS,
    GIVEN,
    LINK_NAME,
    LINK_TARGETS,
    RUN_FACTS,
    Called,
    Template,
    TemplateName,
    Use,
    calls,
    extends,
    parse_template,
    template_name,
    uses,
)

_OPT_OUT = frozenset({"opt_out_url", "preferences_url"})
_STOP = re.compile(r"\bSTOP\b")


def check_templates(checking: Checking, templates: Mapping[str, str]) -> None:
    files = [(name, text, parts) for name, text in templates.items() if (parts := template_name(name))]
    used = _check_present(checking, [parts for _, _, parts in files])
    extended = {one for _, text, _ in files for one in extends(text)}
    links: dict[str, set[str]] = {}
    for name, text, parts in files:
        place = _beside(checking.path, name)
        if parts.base not in used and name not in extended:
            checking.problems.warning(
                SourcePosition(place, 1, 1), f"no step uses this template{did_you_mean(parts.base, used)}"
            )
            continue
        links.setdefault(parts.base, set()).update(_check_file(checking, place, text, parts))
    _check_links(checking, links)


def check_texts(checking: Checking) -> None:
    """The texts inside the playbook itself: reasons and questions."""
    for keys, words, asked in _texts(checking):
        _check_words(checking, keys, words, asked)


def _beside(path: str, name: str) -> str:
    head, slash, _ = path.rpartition("/")
    return f"{head}{slash}{name}"


def _check_present(checking: Checking, files: list[TemplateName]) -> set[str]:
    """Every message step has a template for each channel it may use."""
    used: set[str] = set()
    have = {(one.base, one.channel) for one in files if one.locale is None}
    bases = {one.base for one in files}
    for step in checking.playbook.steps:
        action = step.action
        if not isinstance(action, Send | Handoff):
            continue
        used.add(action.template)
        if isinstance(action, Handoff):
            if (action.template, action.to) not in have:
                _missing(checking, step, action.to, bases)
            continue
        wanted = channels_of(action)
        if action.channel == ("preferred",) and not action.among:
            if not any((action.template, channel) in have for channel in wanted):
                _missing(checking, step, one_of(wanted), bases)
            continue
        for channel in wanted:
            if (action.template, channel) not in have:
                _missing(checking, step, channel, bases)
    return used


def _missing(checking: Checking, step: Step, channel: str, bases: Iterable[str]) -> None:
    base = step.action.template if isinstance(step.action, Send | Handoff) else ""
    key = kind_of(step.action)
    file = f"{base}.{channel}.{traits_of(channel).body}"
    hint = "" if base in set(bases) else did_you_mean(base, bases)
    checking.error(
        ("steps", step.name, key, "template"),
        f"step '{step.name}': the template {shown(base)} is missing for {channel}: write {file}{hint}",
    )


def _check_file(checking: Checking, place: str, text: str, parts: TemplateName) -> set[str]:
    """Checks one file and answers the link names it uses."""
    template, faults = parse_template(text, parts.channel)
    found: list[Use] = []
    for number, (_, value) in enumerate(template.header, start=2):
        more, wrong = uses(value, first_line=number)
        found += more
        faults += wrong
    more, wrong = uses(template.body, first_line=template.body_line)
    found += more
    faults += wrong
    for fault in faults:
        checking.problems.error(SourcePosition(place, fault.line, 1), fault.message)
    for name in traits_of(parts.channel).html_needs if parts.ext == "html" else ():
        if template.field(name) is None:
            checking.problems.error(
                SourcePosition(place, 1, 1),
                f"an HTML template for {parts.channel} needs a header with '{name}: ...' between '---' lines",
            )
    for use in found:
        _check_use(checking, SourcePosition(place, use.line, 1), use)
    _check_opt_out(checking, place, parts, template, {use.name for use in found})
    names: set[str] = set()
    for source, line in ((template.body, template.body_line), *((value, 1) for _, value in template.header)):
        for called in calls(source, "link"):
            names.add(called.name)
            at = SourcePosition(place, line + called.line - 1, 1)
            for refused in _link_faults(called):
                checking.problems.error(at, refused)
        for called in calls(source, "booking_link"):
            if called.name not in checking.policy.booking_links:
                hint = (
                    did_you_mean(called.name, checking.policy.booking_links)
                    or "; add it under 'booking' in policy.yaml"
                )
                at = SourcePosition(place, line + called.line - 1, 1)
                checking.problems.error(at, f"{shown(called.name)} is no booking link{hint}")
    return names


def _link_faults(called: Called) -> Iterator[str]:
    """What rendering would refuse: a name that fits no address, or a target that leads nowhere."""
    if not LINK_NAME.fullmatch(called.name):
        yield f"link {shown(called.name)}: expected a name of small letters, digits and _, at most 40 of them"
    if len(called.others) != 1:
        yield f"link {shown(called.name)}: expected {{{{ link('name', 'https://...') }}}}"
    elif called.others[0] is not None and not called.others[0].startswith(LINK_TARGETS):
        yield f"link {shown(called.name)} must lead to an absolute https:// address, got {shown(called.others[0])}"


def _check_opt_out(
    checking: Checking, place: str, parts: TemplateName, template: Template, names: set[str]
) -> None:
    way_out = traits_of(parts.channel).opt_out
    if way_out is None or names & _OPT_OUT or not checking.policy.promotional(checking.playbook.topic):
        return
    if way_out == "link":
        wanted = "must carry its opt-out: write {{ opt_out_url }} or {{ preferences_url }}"
    elif _STOP.search(template.body):
        return
    else:
        wanted = "must say how to opt out: 'STOP', or {{ opt_out_url }}"
    message = f"a promotional message by {parts.channel} {wanted}"
    checking.problems.error(SourcePosition(place, template.body_line, 1), message)


def _check_use(
    checking: Checking, place: SourcePosition, use: Use, *, sure: frozenset[str] = frozenset()
) -> None:
    head, _, tail = use.name.partition(".")
    if head in GIVEN or use.name in sure:
        return
    if use.name in checking.context or head in checking.context:
        return
    known = checking.vocabulary.type_of(use.name)
    if known is not None:
        if not use.safe and not checking.vocabulary.always(use.name):
            checking.problems.warning(
                place,
                f"not every customer has {shown(use.name)}: write {{{{ {use.name} | default('...') }}}}",
            )
        return
    if head in checking.saved or (
        head in RUN_FACTS and head != "account" and _is_run_fact(checking, head, tail)
    ):
        if not use.safe and head != "offer":
            checking.problems.warning(
                place, f"{shown(use.name)} may have no value yet: write {{{{ {use.name} | default('...') }}}}"
            )
        return
    if use.name in checking.signals:
        checking.problems.error(place, f"{shown(use.name)} is an event, it has no value to print")
        return
    names = (*checking.values, *(name for name in GIVEN if name not in FUNCTIONS))
    checking.problems.error(place, f"{shown(use.name)} is no declared name{did_you_mean(use.name, names)}")


def _is_run_fact(checking: Checking, head: str, tail: str) -> bool:
    if head == "playbook":
        return bool(tail)
    if head == "offer":
        name, _, fact = tail.partition(".")
        return any(
            one.name == name and (not fact or any(fact == key for row in one.rows for key, _ in row.facts))
            for one in checking.playbook.offers
        )
    return tail in checking.steps


def _check_links(checking: Checking, links: Mapping[str, set[str]]) -> None:
    """``clicked: {book: ...}`` names links that the template has."""
    for step in checking.playbook.steps:
        if not isinstance(step.action, Send) or step.action.template not in links:
            continue
        have = links[step.action.template]
        for route in step.then:
            for key, _ in route.choices if route.outcome == "clicked" else ():
                if key != "else" and key not in have:
                    hint = did_you_mean(key, have) or f"; write {{{{ link('{key}') }}}}"
                    checking.warning(
                        ("steps", step.name, "then", "clicked", key),
                        f"step '{step.name}': the template has no link or button {shown(key)}{hint}",
                    )


def _texts(checking: Checking) -> Iterator[tuple[tuple[str | int, ...], str, frozenset[str]]]:
    """The texts inside the playbook that are templates, with the names that are sure to have a value there."""
    enter = checking.playbook.enter
    if enter.because is not None:
        yield ("enter", "because"), enter.because, frozenset()
    if enter.if_ is not None:
        sure = frozenset(names_needed(enter.if_)) | _made_from(checking, names_needed(enter.if_))
        for because in _reasons(enter.if_):
            yield ("enter", "if"), because, sure
    for step in checking.playbook.steps:
        if isinstance(step.action, Ask):
            yield ("steps", step.name, "ask", "question"), step.action.question, frozenset()


def _made_from(checking: Checking, names: Iterable[str]) -> frozenset[str]:
    known = checking.vocabulary.computed_named
    return frozenset(part for name in names if name in known for part in computed_needs(known[name])[1])


def _reasons(condition: Condition) -> Iterator[str]:
    if condition.because is not None:
        yield condition.because
    match condition:
        case All() | Any() | AtLeastOf():
            for part in condition.parts:
                yield from _reasons(part)
        case Not():
            yield from _reasons(condition.part)
        case _:
            return


def _check_words(checking: Checking, keys: tuple[str | int, ...], words: str, sure: frozenset[str]) -> None:
    found, faults = uses(words)
    place = checking.place(*keys)
    for fault in faults:
        checking.problems.error(place, f"{shown(words)}: {fault.message}")
    for use in found:
        _check_use(checking, place, use, sure=sure)
