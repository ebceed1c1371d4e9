"""What Celery's own interface does not tell about a broker: depths, messages, quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..links.amqp_link import is_amqp
from ..links.redis_link import is_redis, scheme_of, tls_of

if TYPE_CHECKING:
    from ..settings import Settings
    from .base import Broker


def open_broker(settings: Settings) -> Broker | None:
    """A connected broker for the calling thread; None when its kind is not read yet.

    Raises BrokerError when it cannot be reached.
    """
    if not settings.broker:
        return None
    if is_amqp(settings.broker):
        return _rabbitmq(settings)
    if not is_redis(settings.broker):
        return None
    from .redis import RedisBroker

    app = settings.celery_app
    if app is None:
        return RedisBroker(settings.broker, settings.key_prefix)
    tls, transport = tls_of(app.conf.broker_use_ssl), app.conf.broker_transport_options or {}
    return RedisBroker(settings.broker, settings.key_prefix, tls, transport)


def _rabbitmq(settings: Settings) -> Broker:
    from ..links.site import site_of
    from .rabbitmq import RabbitBroker

    app = settings.celery_app
    own = ["celery"] if app is None else [*app.amqp.queues, app.conf.task_default_queue]
    return RabbitBroker(site_of(settings, app), own, settings.management_url or "")


def why_not(settings: Settings) -> str:
    """One sentence for people on why ``open_broker`` gives None."""
    if not settings.broker:
        return "no broker is named"
    return f"queue depths of {scheme_of(settings.broker)}:// brokers are not read yet"
