"""Live push: tells a customer's open pages, through Redis, that the feed changed. Best effort and quick."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def feed_channel(customer_id: int) -> str:
    """The name under which changes of one customer's feed are told."""
    return f"orchestrator:feed:{customer_id}"


class RedisPush:
    """A :class:`channels.in_app.Publish`. Raises what Redis raises; nobody waits for it more than half a second."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )

    def __call__(self, customer_id: int, message_id: str) -> None:
        self._client.publish(feed_channel(customer_id), message_id)
