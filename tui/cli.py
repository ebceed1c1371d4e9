"""The commands `celery-tui …` and the plugin `celery -A proj tui`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

import click

from . import __version__, urls
from .errors import SettingsError, TuiError
from .settings import THEMES, Settings, load, read_broker_file

COULD_NOT_LOOK = 3
INTERRUPTED = 130
FLAGS = "celery_tui.flags"
"""Where flags given before a subcommand wait for it, in click's context."""
C = TypeVar("C", bound=Callable[..., Any])


# -- options ---------------------------------------------------------------------------------


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A duration such as ``2``, ``2s``, ``500ms`` or ``1m``."""

    name = "duration"
    UNITS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("", 1.0))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """In seconds."""
        if isinstance(value, float):
            return value
        unit, factor = next(pair for pair in self.UNITS if str(value).endswith(pair[0]))
        try:
            seconds = float(str(value).removesuffix(unit)) * factor
        except ValueError:
            self.fail(f"{value!r} is no duration; write 2s, 500ms or 1m", param, ctx)
        if not 0 < seconds <= 3600:
            self.fail(f"{value!r} is not between 0 and 1h", param, ctx)
        return seconds


WHERE = (
    click.option("-b", "--broker", metavar="URL", help="Broker to watch: redis://host:6379/0."),
    click.option(
        "--broker-file", type=click.Path(path_type=Path), metavar="FILE",
        help="File that holds the broker URL: keeps a password out of ps.",
    ),
    click.option(
        "--result-backend", metavar="URL", help="Where results are kept, as Celery takes it."
    ),
    click.option(
        "--management-url", metavar="URL",
        help="RabbitMQ's management API: http://user:password@host:15672.",
    ),
    click.option("-A", "--app", metavar="APP", help="Celery app to take settings from, as proj."),
    click.option("--key-prefix", metavar="PREFIX", help="global_keyprefix of a Redis broker."),
)  # fmt: skip
HOW = (
    click.option("--read-only", is_flag=True, default=None, help="Look only: no key acts."),
    click.option(
        "--log", "log_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Write a log, without passwords, for bug reports.",
    ),
    click.option(
        "--theme", type=click.Choice(THEMES), help="Colours; chosen from the terminal by default."
    ),
    click.option("--ascii", is_flag=True, default=None, help="Draw with ASCII characters only."),
    click.option(
        "--no-diff", is_flag=True, default=None,
        help="Send all that is painted, not only what changed: if the screen looks wrong.",
    ),
)  # fmt: skip


def options(*some: Callable[[C], C]) -> Callable[[C], C]:
    """Several options as one decorator, in help in this order."""

    def decorate(command: C) -> C:
        for option in reversed(some):
            command = option(command)
        return command

    return decorate


def gathered(ctx: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """Flags of this command over those given before it; remembered for subcommands."""
    flags = {**ctx.meta.get(FLAGS, {}), **{k: v for k, v in given.items() if v is not None}}
    ctx.meta[FLAGS] = flags
    return flags


def settings_from(ctx: click.Context, given: dict[str, Any]) -> Settings:
    """Settings from all flags, the environment and defaults. Raises SettingsError."""
    flags = dict(gathered(ctx, given))
    file = flags.pop("broker_file", None)
    if file is not None:
        if "broker" in flags:
            raise SettingsError("Both --broker and --broker-file are given", "Give one of them.")
        flags["broker"] = read_broker_file(file)
    settings = load(flags)
    ctx.meta["celery_tui.settings"] = settings
    return settings


# -- what goes wrong -------------------------------------------------------------------------


class Guarded(click.Group):
    """A group whose commands end in one line on stderr and exit code 3, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TuiError as error:
            fail(str(error))
        except (click.exceptions.Exit, click.Abort, click.ClickException, BrokenPipeError):
            raise
        except Exception as error:  # the outermost edge: a person reads it, not a programmer
            fail(unexpected(error, ctx.meta.get("celery_tui.settings") or Settings()))


class Program(Guarded):
    """`celery-tui` itself: also a wrong option is one line and exit code 3."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run and exit."""
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.ClickException as error:
            fail(f"{error.format_message().rstrip('.')}. See celery-tui --help.")
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)


def fail(text: str) -> NoReturn:
    """Say it in one line, and exit with 3."""
    click.echo(f"celery-tui: {' '.join(text.split())}", err=True)
    sys.exit(COULD_NOT_LOOK)


def unexpected(error: Exception, settings: Settings) -> str:
    """An error that is our own mistake: what it is, and where its traceback is to be had."""
    named = (settings.broker, settings.result_backend, settings.management_url)
    known = [url for url in named if url]
    what = urls.clean(f"{type(error).__name__}: {error}".strip().rstrip(":."), *known)
    if settings.log_file is None:
        return f"Something unexpected happened: {what}. --log FILE keeps the traceback."
    from . import logfile

    logfile.record(settings.log_file, error, *known)
    return f"Something unexpected happened: {what}. The traceback is in {settings.log_file}."


# -- what is done ----------------------------------------------------------------------------


def dashboard(settings: Settings) -> int:
    """The dashboard, once nothing is known to be in its way; its exit code."""
    from . import logfile, terminal

    terminal.require()
    settings = terminal.dressed(settings)
    logfile.check(settings.log_file)
    from . import diversion, preflight

    with diversion.begun() as aside:
        settings = _with_app(settings, aside.terminal)
        wait = preflight.begin(settings)
        from .app import run

        wait()
        return run(settings, diversion=aside)


def demonstration(settings: Settings, plain: bool, rate: float) -> int:
    """The dashboard on a cluster of its own; its exit code."""
    from . import logfile, terminal

    terminal.require()
    logfile.check(settings.log_file)
    from .demo.broker import server_program
    from .demo.launcher import Demo

    server_program()
    demo = Demo(plain=plain, rate=rate)
    settings = replace(
        terminal.dressed(settings), demo=True, plain_cluster=plain, app=None, celery_app=None,
        config_module=None, broker=demo.broker_url, result_backend=demo.backend_url,
        key_prefix="",
    )  # fmt: skip
    from . import diversion

    with diversion.begun() as aside:
        from .app import run

        return run(settings, demo, aside)


def told_status(settings: Settings, listen_s: float, as_json: bool) -> int:
    """The status on stdout; its exit code."""
    from . import diversion, logfile, preflight

    logfile.check(settings.log_file)
    with diversion.own_stdout() as out:
        settings = _with_app(settings, sys.stderr)
        if settings.broker is None:
            raise SettingsError("No broker is named", "Use -b URL, -A APP or CELERY_BROKER_URL.")
        preflight.check_url(settings.broker)
        from .report.status import run

        return run(settings, listen_s, as_json, out, settings.celery_app)


def _with_app(settings: Settings, terminal: TextIO | None) -> Settings:
    """Settings completed from the app; the terminal is told if that takes long."""
    from . import loading, preflight

    loaded = str(getattr(settings.celery_app, "main", None) or "")
    with loading.told(settings.app or loaded or settings.config_module or "", terminal):
        return preflight.with_app(settings)


# -- commands --------------------------------------------------------------------------------

EXAMPLES = """\b
Examples:
  celery-tui demo                           see it without having a cluster
  celery-tui -b redis://localhost:6379/0    a broker; no project code is needed
  celery-tui -A proj                        a project's own settings
  celery -A proj tui                        the same, as a command of celery
  celery-tui -b URL --read-only             look only
  celery-tui -b URL status --json           the same facts for a script

\b
Without -b or -A the environment is asked (CELERY_TUI_BROKER, CELERY_BROKER_URL, then the
module that CELERY_CONFIG_MODULE names), then you.
Exit codes: 0 fine, 3 could not look; of status also 1 warnings, 2 critical.
In the dashboard ? lists the keys, and q pressed twice quits.
"""
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document (schema 1).")
LISTEN = click.option(
    "--listen", type=Seconds(), default=2.0, metavar="2s", help="How long to look. Default: 2s."
)


@click.group(
    name="celery-tui",
    cls=Program,
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@options(*WHERE, *HOW)
@click.version_option(__version__, prog_name="celery-tui")
@click.pass_context
def main(ctx: click.Context, /, **given: Any) -> None:
    """Watch a Celery cluster in the terminal, and act on it from the keyboard.

    Shows workers, queues and tasks live; revokes, terminates, retries and purges, and asks first.
    Without a command it opens the dashboard.
    """
    gathered(ctx, given)
    if ctx.invoked_subcommand is None:
        ctx.exit(dashboard(settings_from(ctx, {})))


@main.command()
@click.option("--plain-cluster", is_flag=True, help="Workers with Celery's defaults: no events.")
@click.option(
    "--rate", type=click.FloatRange(0, 1000), default=10.0, metavar="N", help="Tasks a second."
)
@options(*HOW)
@click.pass_context
def demo(ctx: click.Context, /, plain_cluster: bool, rate: float, **given: Any) -> None:
    """Show the dashboard on a real cluster of its own.

    Starts a Redis, workers and traffic, and ends them when you quit. Leaves nothing behind.
    """
    ctx.exit(demonstration(settings_from(ctx, given), plain_cluster, rate))


@main.command()
@JSON
@LISTEN
@options(*WHERE, *HOW[:2])
@click.pass_context
def status(ctx: click.Context, /, as_json: bool, listen: float, **given: Any) -> None:
    """Print the state of the cluster once, for scripts and tickets."""
    ctx.exit(told_status(settings_from(ctx, given), listen, as_json))


# Celery lists a plugin under the click command's own name.
@click.group(name="tui", cls=Guarded, invoke_without_command=True)
@options(*HOW)
@click.pass_context
def tui(ctx: click.Context, /, **given: Any) -> None:
    """Watch this app's cluster in the terminal, and act on it."""
    gathered(ctx, {**_of_celery(ctx), **_ours(given)})
    if ctx.invoked_subcommand is None:
        ctx.exit(dashboard(_in_celery(ctx)))


@tui.command(name="status")
@JSON
@LISTEN
@options(*HOW[:2])
@click.pass_context
def plugin_status(ctx: click.Context, /, as_json: bool, listen: float, **given: Any) -> None:
    """Print the state of the cluster once, for scripts and tickets."""
    gathered(ctx, _ours(given))
    ctx.exit(told_status(_in_celery(ctx), listen, as_json))


def _ours(given: dict[str, Any]) -> dict[str, Any]:
    """Without what Celery adds to every command from the app's ``user_options['preload']``."""
    names = {"read_only", "log_file", "theme", "ascii", "no_diff"}
    return {name: value for name, value in given.items() if name in names}


def _of_celery(ctx: click.Context) -> dict[str, Any]:
    """What was said to celery itself: its ``-b`` is a flag, above our environment variables."""
    said = ctx.parent.params if ctx.parent is not None else {}
    return {name: said.get(name) for name in ("broker", "result_backend")}


def _in_celery(ctx: click.Context) -> Settings:
    """Settings with Celery's own app, unless none was named and nothing configures it."""
    settings = replace(settings_from(ctx, {}), app=None)
    app = ctx.obj.app
    named = ctx.find_root().params.get("app") or app.conf.get("broker_url")
    return replace(settings, celery_app=app) if named else settings
