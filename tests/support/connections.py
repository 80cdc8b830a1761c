"""Closes the connections a test left open, at its end.

A test that failed keeps the frames of its traceback, and with them connections that were in use. Left to the collector
they are found open at some later moment, and the warning about them fails another test.
"""

from __future__ import annotations

import weakref

import psycopg
from sqlalchemy import event, make_url
from sqlalchemy.pool import Pool

_made: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()


def watch_pools() -> None:
    """Remember every connection a pool opens, as long as somebody else does."""
    event.listen(Pool, "connect", lambda connection, _: _made.add(connection))


def close_all_to(url: str) -> None:
    database = make_url(url).database
    for connection in list(_made):
        if not connection.closed and connection.info.dbname == database:
            connection.close()
