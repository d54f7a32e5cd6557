"""URL converters for days and instants. A malformed or out-of-range value does not match, so the response is 404."""

from datetime import UTC, date, datetime


class DayConverter:
    """`2026-12-01`, a day of the clinic's calendar."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return _in_range(date.fromisoformat(value))

    def to_url(self, value: date) -> str:
        return value.isoformat()


class InstantConverter:
    """`20261201T1400Z`, an instant in UTC to the minute."""

    regex = "[0-9]{8}T[0-9]{4}Z"
    form = "%Y%m%dT%H%MZ"

    def to_python(self, value: str) -> datetime:
        return _in_range(datetime.strptime(value, self.form).replace(tzinfo=UTC))

    def to_url(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime(self.form)


def _in_range[Day: date](value: Day) -> Day:
    # Python supports the years 1 to 9999. Near either end, a conversion to another zone overflows.
    if not 1900 < value.year < 3000:
        raise ValueError("year out of range")
    return value
