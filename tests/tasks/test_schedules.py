"""When a task comes due: intervals, cron expressions, and the days on which clocks are changed (FT-19)."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from webapp.tasks.plain import How, PlainSchedule
from webapp.tasks.schedules import Schedule, ScheduleError
from webapp.tasks.words import schedule_in_words

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


WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("6", "Sat"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("5-7", "Fri Sat Sun"),
        ("0-2", "Mon Tue Sun"),
        ("1,3,0", "Mon Wed Sun"),
        ("1-5/2", "Mon Wed Fri"),
        ("*/2", "Tue Thu Sat Sun"),
        ("3/2", "Wed Fri"),
        ("mon", "Mon"),
        ("FRI-sun", "Fri Sat Sun"),
        ("sun-tue,5", "Mon Tue Fri Sun"),
        ("0-7", "Mon Tue Wed Thu Fri Sat Sun"),
        ("*", "Mon Tue Wed Thu Fri Sat Sun"),
    ],
)
def test_days_of_the_week_are_those_of_cron(field: str, days: str) -> None:
    monday = dt.datetime(2026, 11, 23, tzinfo=UTC)
    schedule = Schedule(cron=f"0 8 * * {field}", timezone="Europe/Helsinki").check()
    slots = [slot for slot in schedule.upcoming(monday, 8) if slot < monday + dt.timedelta(days=7)]
    assert " ".join(WEEK[slot.weekday()] for slot in slots) == days
    assert {slot.astimezone(ZoneInfo("Europe/Helsinki")).hour for slot in slots} == {8}


def test_days_of_the_month_and_of_the_week_come_on_either_as_cron_says() -> None:
    start = dt.datetime(2026, 11, 1, tzinfo=UTC)
    slots = Schedule(cron="0 8 1,15 * 5").upcoming(start, 6)
    assert [slot.day for slot in slots] == [1, 6, 13, 15, 20, 27]
    both = Schedule(cron="0 8 */2 * 5").upcoming(start, 2)
    assert [slot.day for slot in both] == [13, 27]


@pytest.mark.parametrize("field", ["8", "mon-", "5-1", "1/0", "noon", "1,,2", "-1", "*/x"])
def test_day_of_the_week_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule(cron=f"0 8 * * {field}").check()
    assert caught.value.field == "cron"


@pytest.mark.parametrize(
    ("cron", "words", "how", "days"),
    [
        ("0 8 * * 1", "Monday at 08:00 (UTC)", How.WEEKLY, ("mon",)),
        ("0 8 * * 0,6", "Saturday, Sunday at 08:00 (UTC)", How.WEEKLY, ("sat", "sun")),
        (
            "5 18 * * 1-5",
            "Monday to Friday at 18:05 (UTC)",
            How.WEEKLY,
            ("mon", "tue", "wed", "thu", "fri"),
        ),
        ("0 8 1 * 1", "by the expression 0 8 1 * 1 (UTC)", How.CRON, ("mon",)),
    ],
)
def test_words_and_form_agree_with_the_dates(
    app: Flask, cron: str, words: str, how: How, days: tuple[str, ...]
) -> None:
    schedule = Schedule(cron=cron)
    with app.app_context():
        assert schedule_in_words(schedule) == words
    plain = PlainSchedule.of(schedule)
    assert (plain.how, plain.days) == (how, days)
    assert plain.schedule().upcoming(dt.datetime(2026, 1, 1, tzinfo=UTC), 9) == schedule.upcoming(
        dt.datetime(2026, 1, 1, tzinfo=UTC), 9
    )


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
