"""``orchestrator customer``: one customer's profile, export, links, opt-out and erasure."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from orchestrator.cli.exits import Exit
from orchestrator.cli.opening import open_engine, open_reports
from orchestrator.cli.output import Json, instant, note, print_json, say, show, table
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.customer import Customer

app = typer.Typer(
    help="Look at one customer; export, opt out, erase.", no_args_is_help=True, add_completion=False
)

CustomerArgument = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The product's key of the customer.")
]


@app.command("show")
def show_(customer: CustomerArgument, as_json: Json = False) -> None:
    """Print what is known about a customer."""
    with open_reports() as reports:
        found = reports.customer(customer)
    if as_json:
        print_json(_plain(found))
        return
    rows = [
        ("key", found.key),
        ("account", found.account_key or ""),
        (
            "zone",
            f"{found.timezone or 'not known'}{f' (from {found.timezone_source})' if found.timezone else ''}",
        ),
        ("locale, region", f"{found.locale or '?'}, {found.region or '?'}"),
        ("last seen", instant(found.last_seen_at)),
        ("tags", ", ".join(found.tags)),
        *(
            (point.channel, f"{point.address}{' (bad)' if point.invalid_reason else ''}")
            for point in found.contact_points
        ),
        *sorted(found.attributes.items()),
    ]
    show(table(None, ("fact", "value"), rows, right=2))


@app.command()
def export(customer: CustomerArgument) -> None:
    """Print everything stored about a customer, as JSON (GDPR, Art. 15 and 20)."""
    print_json(open_engine().export(customer))


@app.command()
def links(customer: CustomerArgument, as_json: Json = False) -> None:
    """Print a customer's own links: opt-out and preferences, as they stand in messages."""
    engine = open_engine()
    customer_id = engine.reports.customer_id(customer)
    made = {
        "opt_out": engine.links.opt_out_url(customer_id),
        "preferences": engine.links.preferences_url(customer_id),
    }
    if as_json:
        print_json(made)
    else:
        for name, url in made.items():
            say(f"{name:12} {url}")


@app.command("opt-out")
def opt_out(
    customer: CustomerArgument,
    channel: Annotated[str, typer.Option("--channel", help="* for every channel.")] = "*",
    topic: Annotated[str, typer.Option("--topic", help="* for everything.")] = "*",
    as_json: Json = False,
) -> None:
    """Record that a customer asked not to be written to; print what it stopped."""
    evidence = ConsentEvidence(method="agent", source="command line", actor="operator")
    receipt = open_engine().opt_out(customer, channel=channel, topic=topic, evidence=evidence)
    if as_json:
        print_json(receipt)
    else:
        say(
            f"in force since {instant(receipt.effective_at)} UTC{' (it was before)' if receipt.already else ''}"
        )
        for message in receipt.messages:
            say(
                f"  {message.channel} of {message.playbook}/{message.step}: {message.status.replace('_', ' ')}"
            )
        for name in receipt.ended_playbooks:
            say(f"  {name}: ended")


@app.command()
def erase(
    customer: CustomerArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also when a provider cannot be told to forget.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove everything personal about a customer, here and at the providers, for good."""
    if not yes and not typer.confirm(f"Erase {customer} for good?", err=True):
        note("nothing was done")
        raise typer.Exit(Exit.NO)
    receipt = open_engine().erase(customer, anyway=anyway)
    if as_json:
        print_json({"erased": customer, "providers": receipt.providers})
        return
    say("erased")
    for one in receipt.providers:
        detail = f", {one.detail}" if one.detail else ""
        say(f"  {one.provider} ({one.channel}): {one.outcome.replace('_', ' ')}{detail}")


def _plain(found: Customer) -> dict[str, Any]:
    return {
        "key": found.key,
        "account": found.account_key,
        "attributes": dict(found.attributes),
        "account_attributes": dict(found.account_attributes),
        "tags": list(found.tags),
        "timezone": found.timezone,
        "timezone_source": found.timezone_source,
        "locale": found.locale,
        "region": found.region,
        "last_seen_at": found.last_seen_at,
        "contact_points": found.contact_points,
    }
