"""Imports the user's code: the Celery app that was named, or the module that configures Celery."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .. import urls
from ..errors import AppError, BrokerError

CONFIG = "CELERY_CONFIG_MODULE"
MOST_APPS = 5


def load_app(name: str) -> Any:
    """The Celery app called ``name`` as ``celery -A`` would find it.

    Runs the user's code. Raises AppError for whatever goes wrong in there.
    """
    with app_errors(name):
        from celery.app.utils import find_app

        app = find_app(name)
        if not hasattr(app, "connection_for_read"):
            raise AppError(
                f"{name!r} is not a Celery app but {type(app).__name__}",
                "Name the module or module:attribute as for celery -A.",
            )
        if os.environ.get("DJANGO_SETTINGS_MODULE"):
            # Only this sets Django up; finding the app does not.
            app.loader.import_default_modules()
        return app


def load_config(module: str) -> Any:
    """An app with the settings of a module, as Celery's own default app reads them.

    Runs the user's code. Raises AppError.
    """
    from celery import Celery

    app = Celery(module, set_as_current=False)
    try:
        app.config_from_object(module, force=True)
    except ModuleNotFoundError as error:
        missing = error.name is not None and f"{module}.".startswith(f"{error.name}.")
        title = f"{CONFIG} names {module!r}, and there is no such module"
        other = f"Cannot load the configuration {module!r}: {urls.clean(str(error))}"
        raise AppError(
            title if missing else other,
            f"Run in the folder from which celery works, or unset {CONFIG}.",
        ) from error
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise AppError(
            f"Cannot load the configuration {module!r}: {told(error)}",
            f"{CONFIG} names it; `python -c 'import {module}'` meets the same error.",
        ) from error
    return app


@contextlib.contextmanager
def app_errors(name: str) -> Iterator[None]:
    """What the user's code raises, as AppError."""
    try:
        yield
    except (AppError, BrokerError):
        raise
    except ModuleNotFoundError as error:
        raise _without_attribute(name) or AppError(
            f"Cannot load the Celery app {name!r}: {urls.clean(str(error))}",
            "Run in the folder from which celery -A works, and in its virtual environment.",
        ) from error
    except SystemExit as error:
        module = name.partition(":")[0]
        raise AppError(
            f"The app {name!r} ended the program while it was imported ({told(error)})",
            f"Try `python -c 'import {module}'`: it ends the same way.",
        ) from error
    except Exception as error:  # the user's code may raise anything
        raise AppError(
            f"Cannot load the Celery app {name!r}: {told(error)}",
            f"Try `celery -A {name} report`: it meets the same error and shows where.",
        ) from error


def told(error: BaseException) -> str:
    """What the user's code has raised, without passwords."""
    if isinstance(error, SystemExit):
        code = "" if error.code is None else repr(error.code)
        return urls.clean(f"sys.exit({code})")
    return urls.clean(f"{type(error).__name__}: {error}")


def _without_attribute(name: str) -> AppError | None:
    """Where the module is there and lacks what stands behind the colon: Celery blames the module.

    None: that is not what is wrong.
    """
    module, _, path = name.partition(":")
    holder: Any = sys.modules.get(module)
    if holder is None:
        return None
    apps = _apps_of(holder)
    for attribute in filter(None, path.split(".")):
        if not hasattr(holder, attribute):
            return AppError(
                f"The module {module!r} has no attribute {path!r}",
                f"Its Celery apps: {', '.join(f'-A {module}:{app}' for app in apps)}."
                if apps
                else "It has no Celery app either: name the module that makes one.",
            )
        holder = getattr(holder, attribute)
    return None


def _apps_of(module: ModuleType) -> list[str]:
    """Names of the first Celery apps in it, each app once."""
    from celery import Celery

    apps: dict[int, str] = {}
    for name, value in vars(module).items():
        if isinstance(value, Celery):
            apps.setdefault(id(value), name)
    return list(apps.values())[:MOST_APPS]
