"""The closed lists of fields: what the parsers accept and what the JSON Schema for editors offers."""

from __future__ import annotations

PLAYBOOK = (
    "playbook", "version", "title", "topic", "priority", "enter", "goal", "holdout", "measures", "leave", "context",
    "signals", "offers", "guardrails", "at_any_step", "steps",
)  # fmt: skip
ENTER = ("when", "every", "calendar", "ahead", "if", "because", "one_per", "reentry")
REENTRY = ("after", "per")
GOAL = ("event", "within", "value", "by")

ACTIONS = (
    "send", "ask", "handoff", "call", "choose", "split", "set", "start", "cooldown", "wait_until", "end",
)  # fmt: skip
STEP = (*ACTIONS, "wait", "then", "at", "late", "at_most")
SEND = (
    "channel", "template", "as", "to", "among", "when_capped", "patience", "keep", "stale_after",
)  # fmt: skip
ASK = (
    "channel", "question", "answers", "scale", "comment", "saves", "negative", "as", "when_capped", "patience", "keep",
)  # fmt: skip
HANDOFF = ("to", "template")
CALL = ("function", "webhook", "with", "saves")
BRANCH = ("if", "go")
SET = ("attributes", "add_tags", "remove_tags")
START = ("playbook", "one_of", "context")
COOLDOWN = ("for", "scope")
DISPLAYS = ("modal", "banner", "sidebar", "inbox")
SCOPES = ("everything", "topic", "playbook")

SIGNAL = ("event", "where")
GUARDRAILS = ("caps", "quiet_hours")
CAP = ("at_most", "within", "channel", "topic")
QUIET = ("from", "until", "weekdays", "regions")
QUIET_REGION = ("from", "until")

GROUPS = ("any", "all", "not", "of")
COMPARISONS = (
    "at_least", "at_most", "more_than", "less_than", "contains", "in_next", "in_last", "before", "after",
)  # fmt: skip
NUMBER_COMPARISONS = ("at_least", "at_most", "more_than", "less_than")
FILTER_COMPARISONS = ("at_least", "at_most", "more_than", "less_than", "contains")
COUNTS = ("times", "sum", "distinct")
COUNTED = (*COUNTS, *NUMBER_COMPARISONS, "equals", "within", "since", "where")
DROPPED = ("down_by", "against", "from", "where")
FOLLOWED = ("then", "not_then", "within", "where")
VOCABULARY = ("attributes", "events", "computed")
ATTRIBUTE = ("type", "always")
COMPUTED = ("type", "ratio", "count", "sum", "distinct", "within", "where", "first", "score", "start")
RATIO = ("of", "to")
TALLY = ("event", "field")
FIRST_ROW = ("if", "value")
SCORE_ROW = ("if", "points", "label")

POLICY = (
    "topics", "caps", "quiet_hours", "holds", "zones", "day_starts", "holdout", "booking", "reachable", "rests",
    "patience", "waiting", "needs_consent", "sender", "feedback", "channels", "consent", "retention",
)  # fmt: skip
TOPIC = ("title", "promotional", "obeys_caps", "counts_toward_caps")
HOLD = ("opened_by", "closed_by", "longest", "while", "topics", "title")
ZONES = ("default",)
REACHABLE = ("in_app",)
RESTS = ("ignored",)
FEEDBACK = ("negative",)
CONSENT = ("implied_purchase", "implied_inquiry", "soft_opt_in", "contract", "legitimate_interest")
RETENTION = ("signals", "journal", "verdicts", "receipts", "seen_sources", "sandbox", "api_requests")
WAITING = ("holds", "cooldowns")
CALENDAR_ROW = ("key", "name", "starts", "ends")
CALENDAR_OWN = ("starts", "ends", "name")
VALUE_TYPES = ("text", "number", "money", "percent", "date", "time", "flag", "list")
