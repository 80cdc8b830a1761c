"""How a template writes days, money and numbers in its reader's language: the filters, and what *missing* means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Never

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import pass_context
from jinja2.runtime import Context, Undefined

# Names of what a rendering carries beside the author's values. No template can spell them.
LOCALE = "@locale"
ZONE = "@zone"
CURRENCY = "@currency"


class Missing(Undefined):
    """A value this customer does not have.

    It may be asked for a part (``account.renews_at``) and given a default; as in conditions, it is false and compares
    with nothing. To print it or to count with it is an error.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return id(type(self))

    def _fail(self) -> Never:
        self._fail_with_undefined_error()

    def _never(self, other: object) -> bool:
        return False

    __str__ = __iter__ = __len__ = _fail

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _never  # type: ignore[assignment]

    @property
    def _undefined_message(self) -> str:
        head = f"{self._undefined_obj.head}." if isinstance(self._undefined_obj, Group) else ""
        name = f"{head}{self._undefined_name}"
        return f"'{name}' has no value here; give it a default, as in {{{{ {name} | default('...') }}}}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known_as = f"{self._undefined_name}.{name}" if self._undefined_name else name
        return Missing(name=known_as)

    def __getitem__(self, key: Any) -> Any:
        return self.__getattr__(str(key))


class Group:
    """Facts under one dotted head: ``offer.discount.percent``. Its keys are never mistaken for methods."""

    __slots__ = ("_facts", "head")

    def __init__(self, head: str, facts: Mapping[str, Any]) -> None:
        self.head = head
        self._facts = facts

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def __bool__(self) -> bool:
        return bool(self._facts)

    def __str__(self) -> str:
        raise TypeError(f"a group of facts cannot be printed; write one of: {', '.join(self._facts)}")


def as_facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a template sees them: dotted names become groups; None and blank texts are missing."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        if "." not in name and not isinstance(value, Mapping | list | tuple) and name not in nested:
            nested[name] = value
            continue
        head, *rest = name.split(".")
        place = nested
        for part in rest:
            below = place.get(head)
            if not isinstance(below, dict):
                below = place[head] = {}
            place, head = below, part
        if isinstance(value, Mapping) and isinstance(place.get(head), dict):
            place[head].update(value)
        elif isinstance(value, Mapping):
            place[head] = dict(value)
        elif not isinstance(place.get(head), dict):  # a group wins over a plain value of its own head
            place[head] = value
    return {name: _fact(name, value) for name, value in nested.items() if not _is_blank(value)}


def _fact(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        below = {str(part): _fact(f"{name}.{part}", one) for part, one in value.items() if not _is_blank(one)}
        return Group(name, below)
    if isinstance(value, list | tuple):
        return [_fact(name, one) for one in value]
    return value


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


@lru_cache(maxsize=512)
def locale_for(tag: str | None, default: str = "en") -> Locale:
    """The formatting rules of a tag such as ``de-AT``; those of its language, then of ``default``, when unknown."""
    for candidate in (tag, (tag or "").replace("_", "-").split("-")[0], default):
        if not candidate:
            continue
        try:
            return Locale.parse(candidate.replace("-", "_"))
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


@pass_context
def day(context: Context, value: Any) -> Any:
    """``2027-03-01`` as ``March 1, 2027``. An instant is a day in the customer's own zone."""
    if isinstance(value, Undefined):
        return value
    return format_date(_as_date(value, _zone(context)), format="long", locale=_locale(context))


@pass_context
def money(context: Context, value: Any, currency: str | None = None) -> Any:
    """An amount in its currency: the one named, else the customer's, else the account's. Whole amounts stay short."""
    if isinstance(value, Undefined):
        return value
    amount, locale = _as_decimal(value), _locale(context)
    code = currency if isinstance(currency, str) else str(context.get(CURRENCY) or "USD")
    if amount == amount.to_integral_value():
        pattern = copy(locale.currency_formats["standard"])
        pattern.frac_prec = (0, 0)
        return pattern.apply(amount, locale, currency=code, currency_digits=False)
    return format_currency(amount, code, locale=locale)


@pass_context
def percent(context: Context, value: Any) -> Any:
    """A fraction as a percentage: ``0.62`` as ``62%``."""
    if isinstance(value, Undefined):
        return value
    return format_percent(_as_decimal(value), locale=_locale(context))


@pass_context
def number(context: Context, value: Any) -> Any:
    """A number with its language's marks; at most two decimals."""
    if isinstance(value, Undefined):
        return value
    return format_decimal(round(_as_decimal(value), 2), locale=_locale(context))


FILTERS: Mapping[str, Callable[..., Any]] = {"day": day, "money": money, "percent": percent, "number": number}


def _locale(context: Context) -> Locale:
    found = context.get(LOCALE)
    return found if isinstance(found, Locale) else Locale("en")


def _zone(context: Context) -> tzinfo:
    found = context.get(ZONE)
    return found if isinstance(found, tzinfo) else UTC


def _as_date(value: Any, zone: tzinfo) -> date:
    if isinstance(value, str):
        text = value.strip()
        value = date.fromisoformat(text) if len(text) == len("2027-03-01") else datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return value.astimezone(zone).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    raise TypeError("a day is expected")


def _as_decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("a number is expected")
    try:
        number_ = Decimal(str(value))
    except InvalidOperation:
        raise TypeError("a number is expected") from None
    if not number_.is_finite():
        raise TypeError("a number is expected")
    return number_
