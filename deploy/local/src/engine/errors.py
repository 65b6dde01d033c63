"""Everything the local engine can refuse; each message says what to do next.

EngineError
├── Missing      a program this machine lacks
├── PortInUse    somebody else listens there
└── NotReady     a process died or did not answer in time; carries the end of its log
"""


class EngineError(Exception):
    """The engine cannot go on; the message is meant for the person at the terminal."""


class Missing(EngineError):
    """A program this machine lacks, and where to get it."""


class PortInUse(EngineError):
    """Somebody else listens on a port that the engine was told to use."""


class NotReady(EngineError):
    """A process died or did not answer in time; the message carries the end of its log."""
