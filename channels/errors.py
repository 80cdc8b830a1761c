"""Every error a channel knows, drawn as one tree.

    ChannelError
    ├── NotSentError            no byte of the request left this machine
    │   └── ForbiddenError      the target is not one we may speak to
    ├── InDoubtError            the request may have been taken, nothing is known about it
    ├── UnmappedHostError       a provider's library wanted a host that nobody configured
    ├── BadSignatureError       a callback that its sender cannot have signed
    └── BadChannelError         a channel plug-in that cannot be used

None of them leaves ``Channel.send``: an adapter turns each into a result.
"""

from __future__ import annotations


class ChannelError(Exception):
    """Root of all errors of this package."""


class NotSentError(ChannelError):
    """The connection was never made, or nothing was written to it; ``code`` says at which point it stopped."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no request left: {code}")
        self.code = code


class ForbiddenError(NotSentError):
    """The target is not one we may speak to (its scheme, its host or the address behind its name)."""


class InDoubtError(ChannelError):
    """The request left, or part of it did, and no usable answer came; ``code`` says what was seen."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the request may have been taken: {code}")
        self.code = code


class UnmappedHostError(ChannelError):
    """A provider's library asked for a host without a configured base URL."""

    def __init__(self, host: str, known: str) -> None:
        super().__init__(
            f"no base URL is configured for the host {host!r}; known are {known}; "
            "nothing was sent, add the host to the base URLs or correct them"
        )
        self.host = host


class BadSignatureError(ChannelError):
    """A callback without a valid signature; answer 403 and keep nothing of it."""


class BadChannelError(ChannelError):
    """A channel plug-in that cannot be loaded or does not do what a channel must."""
