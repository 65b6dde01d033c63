"""JSON logs on standard output; nothing secret is ever handed to them, no card, no address."""

import logging

import structlog


def configure(level: int = logging.INFO) -> None:
    """Set up structlog, once per process; libraries speak from a warning on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own lines say it once
    logging.getLogger("stripe").setLevel(logging.ERROR)  # its retries show in our metrics
