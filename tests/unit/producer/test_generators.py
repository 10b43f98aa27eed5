"""What the generators make is valid, plausible, and the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from uuid import RFC_4122, UUID

import pytest

from producer.avro import Record, event_of_record
from producer.generators import Mode, generate
from producer.generators.population import Population
from producer.generators.timeline import Timeline, backdated, live, reproducible

NOW = datetime(2026, 11, 24, 13, 14, 15, tzinfo=UTC)
MODES: tuple[Mode, ...] = ("random", "session", "anomaly")
SPAN = backdated(NOW, timedelta(days=30), 6000)


def made(mode: Mode, seed: int = 1, *, count: int = 6000, users: int = 200, timeline: Timeline = SPAN) -> list[Record]:
    return list(islice(generate(mode, seed, Population(users, seed), timeline), count))


@pytest.mark.parametrize("mode", MODES)
def test_every_generated_event_satisfies_the_model(mode: Mode) -> None:
    for record in made(mode):
        event_of_record(record)


@pytest.mark.parametrize("mode", MODES)
def test_all_ten_types_occur(mode: Mode) -> None:
    assert len({record["event_type"] for record in made(mode)}) == 10


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_events(mode: Mode) -> None:
    assert made(mode) == made(mode)


@pytest.mark.parametrize("mode", MODES)
def test_no_id_comes_back_with_other_content(mode: Mode) -> None:
    runs = [
        made(mode, count=800),
        made(mode, seed=2, count=800),
        made(mode, users=100, count=800),
        made(mode, count=800, timeline=backdated(NOW, timedelta(days=30), 800)),
        made(mode, count=800, timeline=backdated(NOW + timedelta(days=1), timedelta(days=30), 6000)),
        list(islice(generate(mode, 1, Population(1, 1, only="me"), SPAN), 800)),
    ]
    assert len({record["event_id"] for run in runs for record in run}) == 6 * 800


@pytest.mark.parametrize("mode", MODES)
def test_ids_are_uuids_of_version_7_and_begin_with_the_time_of_the_event(mode: Mode) -> None:
    for record in made(mode):
        identifier = UUID(record["event_id"])
        assert (identifier.version, identifier.variant) == (7, RFC_4122)
        assert identifier.int >> 80 == record["occurred_at"]


@pytest.mark.parametrize("mode", ["random", "session"])
def test_events_are_ordered_by_time_and_fill_the_span(mode: Mode) -> None:
    moments = [record["occurred_at"] for record in made(mode)]
    now_ms = int(NOW.timestamp() * 1000)
    assert moments == sorted(moments)
    assert moments[0] == now_ms - 30 * 86_400_000
    assert now_ms - 30 * 86_400_000 // 1000 < moments[-1] < now_ms


def test_live_events_carry_the_time_of_the_clock() -> None:
    ticks = iter(range(1000, 2000))
    timeline = live(NOW, None, lambda: next(ticks))
    assert [record["occurred_at"] for record in made("random", count=50, timeline=timeline)] == list(range(1000, 1050))


def test_a_single_user_can_be_asked_for() -> None:
    records = islice(generate("session", 1, Population(1, 1, only="me"), SPAN), 100)
    assert {record["user_id"] for record in records} == {"me"}


def test_a_session_begins_with_login_and_pays_only_for_what_is_in_the_cart() -> None:
    by_session: dict[str, list[Record]] = {}
    for record in made("session"):
        by_session.setdefault(record["session_id"], []).append(record)
    assert len(by_session) > 200
    for steps in by_session.values():
        assert steps[0]["event_type"] == "login"
        assert "logout" not in [step["event_type"] for step in steps[:-1]]
        cart: Counter[str] = Counter()
        for step in steps:
            if step["event_type"] in {"cart_add", "cart_remove", "purchase"}:
                cart[step["product_id"]] += step["quantity"] if step["event_type"] == "cart_add" else -step["quantity"]
                assert cart[step["product_id"]] >= 0


def marked(records: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        anomaly = json.loads(record.get("metadata") or "{}").get("anomaly")
        if anomaly:
            found.setdefault(anomaly, []).append(record)
    return found


def _is_burst(anomaly: Record, normal: list[Record]) -> bool:
    return any(0 < anomaly["occurred_at"] - other["occurred_at"] <= 80 * 20 + 1 for other in normal)


def _is_impossible_travel(anomaly: Record, normal: list[Record]) -> bool:
    return all(anomaly["country"] != other["country"] for other in normal) and any(
        0 < anomaly["occurred_at"] - other["occurred_at"] <= 5001 for other in normal
    )


def _is_outlier_purchase(anomaly: Record, normal: list[Record]) -> bool:
    amounts = [other["amount"] for other in normal if other["event_type"] == "purchase"]
    return bool(anomaly["event_type"] == "purchase" and anomaly["amount"] > 10 * max(amounts, default=Decimal(600)))


@pytest.mark.parametrize(
    ("name", "is_anomalous"),
    [("burst", _is_burst), ("impossible_travel", _is_impossible_travel), ("outlier_purchase", _is_outlier_purchase)],
)
def test_a_marked_event_deviates_from_its_users_others(
    name: str, is_anomalous: Callable[[Record, list[Record]], bool]
) -> None:
    records = made("anomaly", count=12_000)
    found = marked(records)
    assert set(found) == {"burst", "impossible_travel", "outlier_purchase"}
    for anomaly in found[name]:
        user_id = anomaly["user_id"]
        normal = [r for r in records if r["user_id"] == user_id and "anomaly" not in (r.get("metadata") or "")]
        assert is_anomalous(anomaly, normal)


def test_other_modes_mark_nothing() -> None:
    assert not marked(made("session"))
    assert not marked(made("random"))


def test_profiles_fit_the_members_and_repeat() -> None:
    population = Population(30, 5)
    profiles = list(population.profiles())
    assert profiles == list(Population(30, 5).profiles())
    assert [(p.user_id, p.country) for p in profiles] == [(m.user_id, m.country) for m in population.members]
    assert len({profile.email for profile in profiles}) == 30


def test_reproducible_times_stay_the_same_all_day_and_end_before_it() -> None:
    morning, evening = NOW.replace(hour=0, minute=0), NOW.replace(hour=23, minute=59)
    midnight_ms = int(NOW.replace(hour=0, minute=0, second=0).timestamp() * 1000)
    for since, events in ((None, 1000), (None, None), (timedelta(days=9), 777), (None, 20_000_000)):
        timeline = reproducible(morning, since, events)
        assert timeline == reproducible(evening, since, events)
        assert timeline.planned((events or 1000) - 1) < midnight_ms


def test_fewer_reproducible_events_are_the_beginning_of_more() -> None:
    few, many = (made("session", count=n, timeline=reproducible(NOW, None, n)) for n in (100, 300))
    assert many[:100] == few
