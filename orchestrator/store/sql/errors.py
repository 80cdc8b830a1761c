"""Errors of the driver never leave the store: an outage is Unavailable, everything else StoreError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestrator.errors import StoreError, Unavailable


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours. Their texts may quote a row, so only the kind is told.

    An outage, and a pool whose connections are all in use, is :class:`Unavailable`; everything else is
    :class:`StoreError`.
    """
    try:
        yield
    except DBAPIError as error:
        kind = type(error.orig).__name__
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            raise Unavailable(f"PostgreSQL cannot do this now ({kind}); trying again may help") from error
        raise StoreError(f"PostgreSQL refused a statement ({kind})") from error
    except psycopg.Error as error:  # from a pipeline, which SQLAlchemy does not see
        kind = type(error).__name__
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise Unavailable(f"PostgreSQL cannot do this now ({kind}); trying again may help") from error
        raise StoreError(f"PostgreSQL refused a statement ({kind})") from error
    except PoolTimeoutError as error:
        raise Unavailable("every connection to PostgreSQL is in use; trying again may help") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed ({type(error).__name__})") from error
