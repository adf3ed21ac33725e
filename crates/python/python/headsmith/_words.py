"""Numbers and names as people write them."""

from typing import Any
from urllib.parse import urlsplit

# The lower and the upper end of an interval.
Ends = tuple[float, float]

TITLES = {"ece": "calibration error", "mcc": "Matthews correlation", "cohen_kappa": "Cohen's kappa", "brier": "Brier score", "roc_auc_ovr": "ROC AUC one-vs-rest",
          "roc_auc_ovr_weighted": "ROC AUC one-vs-rest, weighted"}


def titled(metric: str) -> str:
    """The name of a score."""
    return TITLES.get(metric) or metric.replace("_", " ").replace("f1", "F1")


def seconds(time: float) -> str:
    """A time: `3 ms`, `0.42 s`, `4 min 10 s`, `2 h 5 min`."""
    if time < 60:
        if time < 0.01:
            return f"{1e3 * time:.0f} ms"
        return f"{time:.2f} s" if time < 10 else f"{time:.1f} s"
    whole = round(time)
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def short_time(time: float) -> str:
    """A time that may be short: `3.2 us`, `2.1 ms`."""
    if time < 1e-3:
        return f"{1e6 * time:.1f} µs" if time < 1e-5 else f"{1e6 * time:.0f} µs"
    return f"{1e3 * time:.1f} ms" if time < 1 else seconds(time)


def size(n_bytes: int) -> str:
    """Bytes in decimal units."""
    for unit, scale in [("GB", 1e9), ("MB", 1e6)]:
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB" if n_bytes >= 1000 else f"{n_bytes} B"


def counted(n: int, noun: str) -> str:
    """A number of things: `1 row`, `6,000 rows`, `3 classes`."""
    return f"{n:,} {noun if n == 1 else many(noun)}"


def many(noun: str) -> str:
    """The plural: `strengths`, `classes`."""
    return f"{noun}{'es' if noun.endswith('s') else 's'}"


def ends(interval: dict[str, float] | None) -> Ends | None:
    """The ends of an interval as reports have it."""
    return (interval["low"], interval["high"]) if interval else None


def span(interval: Ends | None) -> str:
    """The ends of an interval, if there is one: `0.9012 to 0.9345`."""
    return f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""


def between(interval: Ends | None, confidence: float = 0.95) -> str:
    """An interval with its confidence, if there is one."""
    return f"{100 * confidence:g}% interval {span(interval)}" if interval else ""


def gain(metric: str, value: float) -> float:
    """The value of a metric as a number of which more is better."""
    return -value if metric == "log_loss" else value


def listed(names: list[str], limit: int = 12) -> str:
    """Names, the first of many."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def value(given: Any) -> str:
    """A value of a parameter, cut where it is long."""
    text = f"{given:.4g}" if isinstance(given, float) else repr(given)
    return text if len(text) <= 200 else text[:197] + "..."


def plain(given: Any) -> Any:
    """A value of NumPy as Python's, for messages: 'c' and not np.str_('c')."""
    return given.item() if hasattr(given, "dtype") and hasattr(given, "item") else given


def without_password(storage: str) -> str:
    """The address of a database without its password, and without its query, which may have one as well."""
    hidden = storage.partition("://")[0] + "://..."
    try:
        url = urlsplit(storage)
    except ValueError:
        return hidden
    if not url.netloc and not url.query:
        return storage
    user, mark, host = url.netloc.rpartition("@")
    # Of a password with a bare / or ? or # nobody knows where it ends.
    if url.netloc and "@" in (url.path if mark else storage):
        return hidden
    return f"{url.scheme}://{user.partition(':')[0]}{mark}{host}{url.path}"
