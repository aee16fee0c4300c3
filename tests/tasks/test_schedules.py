"""When a task comes due: intervals, cron expressions, and the days on which clocks are changed (FT-19)."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest

from webapp.tasks.schedules import Schedule, ScheduleError

UTC = dt.UTC


def local_days(cron: str, zone: str, start: dt.datetime, days: int) -> list[str]:
    """Return the local times of the slots within so many days."""
    end = start + dt.timedelta(days=days)
    slots = Schedule(cron=cron, timezone=zone).upcoming(start, 2000)
    return [f"{slot.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for slot in slots if slot < end]


@pytest.mark.parametrize(
    ("zone", "cron", "start"),
    [
        (
            "Europe/Helsinki",
            "30 3 * * *",
            dt.datetime(2026, 3, 27, tzinfo=UTC),
        ),  # 03:30 does not exist on the 29th
        (
            "Europe/Helsinki",
            "30 3 * * *",
            dt.datetime(2026, 10, 23, tzinfo=UTC),
        ),  # 03:30 comes twice on the 25th
        ("America/New_York", "30 2 * * *", dt.datetime(2026, 3, 6, tzinfo=UTC)),
        ("America/New_York", "30 1 * * *", dt.datetime(2026, 10, 30, tzinfo=UTC)),
        ("Asia/Shanghai", "30 2 * * *", dt.datetime(2026, 3, 27, tzinfo=UTC)),
    ],
)
def test_daily_task_runs_once_a_local_day(zone: str, cron: str, start: dt.datetime) -> None:
    found = local_days(cron, zone, start, 5)
    days = [slot.split()[0] for slot in found]
    assert len(days) == 5
    assert len(set(days)) == 5


def test_time_that_does_not_exist_runs_after_the_gap() -> None:
    found = local_days("30 3 * * *", "Europe/Helsinki", dt.datetime(2026, 3, 28, 12, tzinfo=UTC), 1)
    assert found == ["03-29 04:30"]


def test_time_that_comes_twice_runs_the_first_time() -> None:
    schedule = Schedule(cron="30 3 * * *", timezone="Europe/Helsinki")
    slot = schedule.next_after(dt.datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert slot == dt.datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule.next_after(slot) == dt.datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("month_day", [(3, 28), (10, 24)])
def test_every_half_hour_has_no_gap_and_no_repeat(month_day: tuple[int, int]) -> None:
    start = dt.datetime(2026, *month_day, 12, tzinfo=UTC)
    slots = Schedule(cron="*/30 * * * *", timezone="Europe/Helsinki").upcoming(start, 96)
    assert {later - earlier for earlier, later in itertools.pairwise(slots)} == {dt.timedelta(minutes=30)}


def test_leap_day() -> None:
    schedule = Schedule(cron="0 8 29 2 *", timezone="Asia/Shanghai")
    assert schedule.next_after(dt.datetime(2026, 11, 24, tzinfo=UTC)) == dt.datetime(
        2028, 2, 29, 0, 0, tzinfo=UTC
    )


def test_interval_counts_from_the_slot_before() -> None:
    anchor = dt.datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    schedule = Schedule(interval_seconds=300)
    late = anchor + dt.timedelta(seconds=317)
    assert schedule.next_after(late, anchor=anchor) == anchor + dt.timedelta(seconds=600)


def test_once() -> None:
    at = dt.datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert Schedule(at=at).next_after(at - dt.timedelta(days=1)) == at
    assert Schedule(at=at).next_after(at) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "schedule"),
        ({"interval_seconds": 5, "cron": "* * * * *"}, "schedule"),
        ({"interval_seconds": 0}, "interval_seconds"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "* * * *"}, "cron"),
        ({"cron": "0 8 * * 1", "timezone": "Mars/Base"}, "timezone"),
        ({"cron": "0 8 * * 1", "timezone": "../../etc/passwd"}, "timezone"),
        ({"at": dt.datetime(2026, 1, 1)}, "at"),
    ],
)
def test_schedule_that_cannot_be_names_the_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule(**values).check()  # type: ignore[arg-type]
    assert caught.value.field == field
