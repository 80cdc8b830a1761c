"""What an error of the driver means. None leaves the store as it is; their texts may quote a row, so the kind is told.

The table is by SQLSTATE (PostgreSQL, Appendix A), because the driver's classes do not follow what an error means: to
it a session that idled too long is an internal error, a lock that did not come an operational one, and so is a value
too long for its index.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestrator.errors import Contended, StoreError, Unavailable

CONTENTION = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
VALUE = (
    "22",
    "23",
    "54",
)  # data, integrity and program limits: a value that cannot be stored, whenever it is tried
OUTAGE = (
    "08",  # connection exceptions
    "53",  # no room, no memory, too many connections
    "57P",  # shut down, starting up, ended by an administrator
    "58",  # the server's own system failed
    "25P03",  # ended because it was idle in a transaction
    "25006",  # a standby after a failover takes no writes
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours.

    An outage, and a pool whose connections are all in use, is :class:`Unavailable`; a lock or transaction lost to
    somebody else :class:`Contended`; everything else :class:`StoreError`.
    """
    try:
        yield
    except DBAPIError as error:
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        raise meaning_of(error.orig, lost=lost) from error
    except psycopg.Error as error:  # from a pipeline, which SQLAlchemy does not see
        raise meaning_of(error) from error
    except PoolTimeoutError as error:
        raise Unavailable("every connection to PostgreSQL is in use; trying again may help") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed ({type(error).__name__})") from error


def meaning_of(error: BaseException | None, *, lost: bool = False) -> StoreError:
    """Our error for one of the driver's. ``lost``: its connection can be used no more."""
    kind = type(error).__name__
    state = (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""
    if state in CONTENTION:
        return Contended(f"somebody else holds what this needs ({kind}); trying again may help")
    if state.startswith(VALUE):
        return StoreError(f"PostgreSQL refused a statement ({kind})")
    operational = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if lost or operational or state.startswith(OUTAGE):
        return Unavailable(f"PostgreSQL cannot do this now ({kind}); trying again may help")
    return StoreError(f"PostgreSQL refused a statement ({kind})")
