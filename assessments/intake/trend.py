"""The trend of a patient's scores over their last responses to the same version, up to a given response."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from assessments.known_questions import PAIN_NOW, WORST_PAIN
from assessments.models import Response, ResponseStatus
from assessments.questionnaire.score_change import Threshold, is_change, threshold_of

TRACKED_ITEMS = (PAIN_NOW, WORST_PAIN)  # single ratings that are shown as measures
MOST_POINTS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. `value` is None if too few questions were answered."""

    at: datetime
    value: Decimal | None
    answered: int
    of: int


@dataclass(frozen=True, slots=True)
class Trend:
    """One measure over time, oldest first; the last point is the given response."""

    measure: str
    title: str
    points: tuple[Point, ...]
    threshold: Threshold | None

    @property
    def latest(self) -> Point:
        return self.points[-1]

    @property
    def delta(self) -> Decimal | None:
        """The latest value minus the first one; None if the latest is missing or is the only one."""
        values = [point.value for point in self.points if point.value is not None]
        return values[-1] - values[0] if len(values) > 1 and self.latest.value is not None else None

    @property
    def verdict(self) -> str:
        """A text about `delta`, which counts as a change only if it reaches the smallest change of the threshold."""
        if self.delta is None:
            return "baseline" if self.latest.value is not None else ""
        smallest = self.threshold.smallest_change if self.threshold else None
        if self.threshold is None or smallest is None:
            return "no figure on file for the smallest real change"
        changed = is_change(Decimal(0), self.delta, self.threshold)
        return f"change ({smallest} or more)" if changed else f"within chance or too small to matter (below {smallest})"


def read_trends(response: Response) -> list[Trend]:
    """Return the trend of every measure of `response`, with the patient's earlier responses to the same version."""
    titles = {rule.measure: rule.title for rule in response.questionnaire.parsed.scores}
    items = response.questionnaire.parsed.items
    titles |= {name: items[name].label for name in TRACKED_ITEMS if name in items}
    found: dict[str, list[Point]] = {name: [] for name in titles}
    for one in [*reversed(_earlier(response)), response]:
        for measure, point in _read_points(one):
            if measure in found:
                found[measure].append(point)
    return [
        Trend(name, titles[name], tuple(points), threshold_of(name))
        for name, points in found.items()
        if points and points[-1].at == _instant(response)
    ]


def count_other_versions(response: Response) -> int:
    """Count the patient's completed responses to other versions, which the trends omit."""
    return (
        Response.objects.filter(patient=response.patient_id, status=ResponseStatus.COMPLETED)
        .filter(questionnaire__slug=response.questionnaire.slug)
        .exclude(questionnaire=response.questionnaire_id)
        .count()
    )


def _earlier(response: Response) -> list[Response]:
    """Return the patient's last MOST_POINTS completed responses to the same version before `response`, newest first."""
    finished = Response.objects.filter(
        patient=response.patient_id, questionnaire=response.questionnaire_id, status=ResponseStatus.COMPLETED
    )
    before = finished.exclude(pk=response.pk).filter(created_at__lte=response.created_at)
    return list(before.prefetch_related("scores").order_by("-created_at")[:MOST_POINTS])


def _instant(response: Response) -> datetime:
    return response.completed_at or response.saved_at or response.created_at


def _read_points(response: Response) -> Iterator[tuple[str, Point]]:
    """Yield (measure, point) of the stored scores and the tracked ratings of one response.

    The scores of a reopened response are omitted, because its answers have changed since.
    """
    at = _instant(response)
    for score in response.scores.all() if response.status == ResponseStatus.COMPLETED else ():
        value = score.result["value"]
        number = None if value is None else Decimal(value)
        yield score.measure, Point(at, number, score.result["answered"], score.result["of"])
    for name in TRACKED_ITEMS:
        if given := response.answers.get(name):
            yield name, Point(at, Decimal(str(given[0])), 1, 1)
