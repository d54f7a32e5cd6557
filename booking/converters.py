"""URL converters for days and instants. A malformed one does not match: 404."""

from datetime import UTC, date, datetime


class DayConverter:
    """`2026-12-01`, a day of the clinic's calendar."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return _after_the_year_one(date.fromisoformat(value))

    def to_url(self, value: date) -> str:
        return value.isoformat()


class InstantConverter:
    """`20261201T1400Z`, an instant in UTC to the minute."""

    regex = "[0-9]{8}T[0-9]{4}Z"
    form = "%Y%m%dT%H%MZ"

    def to_python(self, value: str) -> datetime:
        return _after_the_year_one(datetime.strptime(value, self.form).replace(tzinfo=UTC))

    def to_url(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime(self.form)


def _after_the_year_one[Day: date](value: Day) -> Day:
    # Python counts from the year 1 to 9999; a day off either end could not be moved to another time zone.
    if not 1900 < value.year < 3000:
        raise ValueError("not a day anybody books")
    return value
