# Accounts that slip get one honest question, an offer to call them, and one last nudge on the channel they answer.
# Whoever says no, or stops us, has 90 days of peace from everything we promote.
from orchestrator import (
    Cooldown,
    End,
    Enter,
    Goal,
    Handoff,
    OwnName,
    Playbook,
    Send,
    Step,
    any_of,
    at_least_of,
    where,
)

CHECK_IN = "3d"
CALL_BACK = "4d"
NUDGE = "5d"

warning_signs = at_least_of(
    2,
    where(
        "session_started",
        down_by="40%",
        against="28d",
        from_=10,
        because="your team was here less than usual",
    ),
    where("account.renews_at", in_next="45d", because="your plan renews on {{ account.renews_at | day }}"),
    where(
        "support_ticket_opened",
        times=1,
        within="30d",
        where={"doubts_value": True},
        because="you told us it is not paying off yet",
    ),
)

playbook = Playbook(
    name="at_risk_win_back",
    version=1,
    title="Accounts that slip are asked, helped, then left in peace",
    topic="win_back",
    priority=90,
    holdout="5%",
    measures=["nps_score", "account_churned"],
    enter=Enter(
        when=["support_ticket_opened", "health_changed"],
        every="day",  # a renewal that comes near and use that fades are no events: they are looked for
        if_=any_of(
            where("health", less_than=40, because="things have been harder for your team lately"),
            warning_signs,
        ),
        because="we have not heard from you for a while",
        one_per={"account": ["owner", "admin"]},
        reentry={"after": "120d"},
    ),
    goal=Goal(event="contract_renewed", by="account", within="120d", value="arr"),
    leave=where("health", at_least=70),
    at_any_step={
        OwnName("call_booked"): "brief",
        "replied": "brief",
        "negative": "complaint",
        "opted_out": "pause",
    },
    steps=[
        Step(
            "check_in",
            Send(channel="email", template="check_in"),
            wait=CHECK_IN,
            then={"clicked": "booking", "no_response": "call_back"},
        ),
        Step(
            "call_back",
            Send(channel="in_app", template="call_back", as_="banner"),
            wait=CALL_BACK,
            then={"clicked": "booking", "dismissed": "nudge", "no_response": "nudge"},
        ),
        Step(
            "nudge",
            Send(channel="preferred", among=["sms", "in_app", "email"], template="nudge"),
            wait=NUDGE,
            then={"clicked": "booking", "no_response": "rest"},
        ),
        Step("booking", wait="3d", then="nudge"),  # they looked for a time: a booked call leads to the brief
        Step(
            "brief",
            Handoff(to="crm", template="risk_brief"),
            wait="14d",
            then={"closed": {"lost": "pause", "else": "rest"}, "no_response": "rest"},
        ),
        Step("complaint", Handoff(to="support", template="complaint"), then="pause"),
        Step("pause", Cooldown("90d", scope="everything"), then="declined"),
        Step("rest", Cooldown("30d"), then="done"),
        Step("declined", End("declined")),
        Step("done", End("no_conversion")),
    ],
)
