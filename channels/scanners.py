"""Clicks and opens that a machine made: mail scanners follow every link before a person sees the mail.

Only what shows in the callback itself is judged here. What needs the message's history, as a click within
seconds of the delivery, is judged where that history is.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|microsoft office existence|forcepoint|symantec|trendmicro|sophos"
    r"|fireeye|cisco.?ironport|messagelabs|bitdefender|fortimail|zscaler|urlscan|virustotal"
    r"|python-requests|python-urllib|curl/|wget/|go-http-client|okhttp|java/|libwww|headlesschrome|phantomjs"
    r"|\bbot\b|bot/|crawler|spider|preview",
    re.IGNORECASE,
)
BURST_LINKS = 3
BURST_SECONDS = 2.0


def looks_like_a_scanner(user_agent: str) -> bool:
    """Whether a browser's name is one of a scanner or a script."""
    return bool(_SCANNER.search(user_agent))


def machine_burst(events: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """Positions of clicks on three or more different links of one mail within two seconds."""
    clicks: dict[str, list[tuple[float, str, int]]] = defaultdict(list)
    for index, event in enumerate(events):
        at = event.get("timestamp")
        if event.get("event") == "click" and isinstance(at, (int, float)):
            mail = str(event.get("m") or event.get("sg_message_id") or "")
            clicks[mail].append((float(at), str(event.get("url")), index))
    found: set[int] = set()
    for rows in clicks.values():
        rows.sort()
        near: Counter[str] = Counter()  # how often each link is clicked from ``start`` to before ``end``
        end = marked = 0
        for start, (at, first, _) in enumerate(rows):
            while end < len(rows) and rows[end][0] <= at + BURST_SECONDS:
                near[rows[end][1]] += 1
                end += 1
            if len(near) >= BURST_LINKS:
                found.update(index for _, _, index in rows[max(start, marked) : end])
                marked = end
            near[first] -= 1
            if not near[first]:
                del near[first]
    return frozenset(found)
