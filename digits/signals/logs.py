"""Logs: one line an event, for people or as JSON, each with the call and the job that it belongs to."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from digits.settings import Settings
from digits.signals.context import JOB_ID, REQUEST_ID

# What a JSON object has beside the message, which says it too: logger.info("…", extra={FIELDS: {…}}).
FIELDS = "fields"

_MAX_FRAMES = 6
# A Java exception brings its whole stack along.
_MAX_TEXT = 2000
# Whatever could begin another line, or steer a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(settings: Settings) -> None:
    """Has all that this process logs, warns of, or ends by, go to stderr in the format of the settings."""
    logging.config.dictConfig(configuration(settings))
    logging.captureWarnings(True)
    sys.excepthook = _ended


def configuration(settings: Settings) -> dict[str, Any]:
    """The same for who configures logging itself, as gunicorn does."""
    formatter = JsonLines if settings.log_format == "json" else TextLines
    noisy = ("py4j", "celery.worker.strategy", "celery.app.trace")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": "WARNING"} for name in noisy},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "INFO", "handlers": [], "propagate": True},
        },
    }


class TextLines(logging.Formatter):
    """`2026-11-26T05:12:01.123Z INFO server.app: serving on …`, with its ids, what was raised and where."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        fields = [f"{name}={value}" for name, value in _context().items()]
        parts = [f"{_time(record)} {record.levelname} {record.name}:", record.getMessage(), *fields]
        return _one_line(" ".join([*parts, *_raised(record)]))


class JsonLines(logging.Formatter):
    """An object a line: time, level, logger, message, the event's own fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        event = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
            **_context(),
        }
        if record.exc_info and record.exc_info[1]:
            event["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(event, default=str)


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("digits").critical("this process ends", exc_info=error)


def _context() -> dict[str, str]:
    context = {"request_id": REQUEST_ID.get(), "job_id": JOB_ID.get()}
    return {name: value for name, value in context.items() if value}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _raised(record: logging.LogRecord) -> list[str]:
    """What was raised and where, the innermost place first."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return []
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return [f"[{type(error).__name__}: {str(error)[:_MAX_TEXT]} at {places}]"]


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
