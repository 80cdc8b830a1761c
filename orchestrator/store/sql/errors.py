"""What an error of the driver means. None leaves the store as it is; their texts may quote a row, so the kind is told.

The table is by SQLSTATE (PostgreSQL, Appendix A), because the driver's classes do not follow what an error means: to
it a session that idled too long is an internal error, a lock that did not come an operational one, and so is a value
too long for its index. The longest prefix decides; what no line names is a failure of the statement and nothing more,
and whoever runs a batch finds out whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import psycopg
from psycopg.errors import PipelineAborted
from sqlalchemy.exc import DBAPIError, InterfaceError, PendingRollbackError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestrator.errors import Contended, SchemaMismatch, StoreError, TimedOut, Unavailable, ValueRefused

MEANINGS: Mapping[str, type[StoreError]] = MappingProxyType(
    {
        # outage: nobody's fault, and over when PostgreSQL is back
        "08": Unavailable,  # connection exceptions
        "25006": Unavailable,  # a standby after a failover takes no writes
        "25P03": Unavailable,  # ended because it was idle in a transaction
        "26": Unavailable,  # a prepared statement that a pooler's other connection made
        "28": Unavailable,  # the password or the role was changed
        "3D": Unavailable,  # the database is not there, as while it is restored
        "53": Unavailable,  # no room, no memory, too many connections
        "57": Unavailable,  # shut down, starting up, ended by an administrator
        "58": Unavailable,  # the server's own system failed
        "F0": Unavailable,  # the server's configuration file
        # contention: another transaction was faster
        "40": Contended,  # serialization failure, deadlock, rolled back
        "40002": ValueRefused,  # a deferred constraint
        "55006": Contended,  # object in use
        "55P03": Contended,  # lock not available
        "72": Contended,  # snapshot too old
        # longer than it may take
        "25P04": TimedOut,  # transaction time-out
        "57014": TimedOut,  # statement time-out, or cancelled
        # a value that cannot be stored or read, whenever it is tried
        "10": ValueRefused,
        "20": ValueRefused,
        "21": ValueRefused,  # one row was expected and there are more
        "22": ValueRefused,  # data exceptions
        "23": ValueRefused,  # integrity constraints
        "44": ValueRefused,
        "54": ValueRefused,  # program limits, as an index row that is too large
        # this build and this schema do not fit
        "0A": SchemaMismatch,  # feature not supported: an older server
        "3F": SchemaMismatch,  # schema name
        "42": SchemaMismatch,  # undefined column, table or function; no right to it
    }
)
_LONGEST = max(map(len, MEANINGS))
_WORDS: Mapping[type[StoreError], str] = MappingProxyType(
    {
        Unavailable: "PostgreSQL cannot do this now ({kind}); trying again may help",
        Contended: "somebody else holds what this needs ({kind}); trying again may help",
        TimedOut: "PostgreSQL took longer than it may ({kind}); trying again may help",
        ValueRefused: "PostgreSQL refused a value ({kind})",
        SchemaMismatch: "this release and the schema do not fit ({kind}); migrate, or run the release that fits",
        StoreError: "PostgreSQL refused a statement ({kind})",
    }
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours, as :data:`MEANINGS` says.

    A lost connection, and a pool whose connections are all in use, is :class:`Unavailable`; a value that has no form
    PostgreSQL can take :class:`ValueRefused`.
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
    except PendingRollbackError as error:  # the connection was lost by the statement before
        raise Unavailable("the connection to PostgreSQL was lost; trying again may help") from error
    except StatementError as error:  # before anything was sent
        raise ValueRefused(
            f"a value has no form PostgreSQL can take ({type(error.orig).__name__})"
        ) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed ({type(error).__name__})") from error
    except UnicodeError as error:
        raise ValueRefused(f"a text is not valid Unicode ({type(error).__name__})") from error


def meaning_of(error: BaseException | None, *, lost: bool = False) -> StoreError:
    """Our error for one of the driver's. ``lost``: its connection can be used no more."""
    meaning = Unavailable if lost else _meaning(error)
    return meaning(_WORDS[meaning].format(kind=type(error).__name__))


def _meaning(error: BaseException | None) -> type[StoreError]:
    state = (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""
    for length in range(min(len(state), _LONGEST), 1, -1):
        if (meaning := MEANINGS.get(state[:length])) is not None:
            return meaning
    match error:
        case PipelineAborted():
            return StoreError  # an earlier statement of the pipeline failed, and is not to be had any more
        case psycopg.DataError():
            return ValueRefused  # the driver could not write or read a value
        case psycopg.OperationalError() | psycopg.InterfaceError() if not state:
            return Unavailable  # the driver's own: no connection, or none any more
        case _:
            return StoreError
