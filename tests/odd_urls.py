"""URLs as people write them with whatever in user and password, and what of them must not show."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

MARK = "Zq7Mark"
"""Stands in every secret, so that none of its halves can go unnoticed."""
ODD = "/?#@:;,% '\"()[]{}<>&=+\\|~^$!*-_.0159éß漢\u202e\t"
SCHEMES = (
    "amqp", "amqps", "pyamqp", "redis", "rediss", "redis+socket", "sentinel", "sqs", "AMQP",
    "db+postgresql", "db+mysql+pymysql", "cache+memcached", "mongodb", "mongodb+srv",
    "http", "https", "proj.transport",
)  # fmt: skip
HOSTS = ("broker.eu", "broker.eu:5672", "[fe80::1]:6379", "10.0.3.7", "a.eu:27017,b.eu:27018")
TAILS = ("", "/", "/0", "//", "/shop.eu", "/%2Fshop", "/0?x=1", "?master_name=m&db=3")
PARAMETERS = ("password", "sentinel_password", "ssl_password", "sslpassword", "api_key", "token")


@dataclass(frozen=True)
class Odd:
    """A URL, and the host of each of its alternates."""

    url: str
    hosts: tuple[str, ...]
    secret: str


odd = st.text(ODD, max_size=6)
users = st.one_of(
    st.sampled_from(("", "ops", "ops@tenant", "guest", "us;er", "o'ps", "a/b", "a b")), odd
)
secrets = st.tuples(odd, odd).map(MARK.join)
in_query = st.tuples(*(st.text(ODD.replace("&", ""), max_size=5),) * 2).map(MARK.join)
"""What stands behind a & is another parameter, for whoever reads the URL."""


@st.composite
def urls_with_a_login(draw: st.DrawFn) -> Odd:
    """``scheme://user:secret@host``, alone or among alternates, encoded or not."""
    scheme, user, secret = draw(st.sampled_from(SCHEMES)), draw(users), draw(secrets)
    if draw(st.booleans()):
        user, secret = quote(user, safe=""), quote(secret, safe="")
    host, tail = draw(st.sampled_from(HOSTS)), draw(st.sampled_from(TAILS))
    url = f"{scheme}://{user}:{secret}@{host}{tail}"
    place = draw(st.sampled_from(("alone", "first", "second", "twice", "bare")))
    other = draw(st.sampled_from(HOSTS))
    if place == "alone":
        return Odd(url, (host,), secret)
    if place == "first":
        return Odd(f"{url};{scheme}://{other}/1", (host, other), secret)
    if place == "second":
        return Odd(f"{scheme}://{other}/1;{url}", (other, host), secret)
    if place == "bare":
        return Odd(f"{url};{other}", (host, other), secret)
    return Odd(f"{url};{scheme}://v:{secret}@{other}/2", (host, other), secret)


@st.composite
def urls_with_a_parameter(draw: st.DrawFn) -> Odd:
    """``scheme://host?password=secret``, with a login or without."""
    scheme, secret = draw(st.sampled_from(SCHEMES)), draw(in_query)
    host = draw(st.sampled_from(HOSTS))
    login = draw(st.sampled_from(("", "ops@", f"ops:{MARK}@", f":{MARK}@")))
    name = draw(st.sampled_from(PARAMETERS))
    before, after = draw(st.sampled_from(("", "x=1&"))), draw(st.sampled_from(("", "&y=2")))
    url = f"{scheme}://{login}{host}/0?{before}{name}={secret}{after}"
    return Odd(url, (host,), secret)


odd_urls = st.one_of(urls_with_a_login(), urls_with_a_parameter())
