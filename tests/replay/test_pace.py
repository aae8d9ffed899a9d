"""Laws of pace, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from synthmob.replay.message import Message
from synthmob.replay.order import Place
from synthmob.replay.pace import Pace


@dataclass
class Clock:
    """A clock that stands still unless somebody sleeps."""

    seconds: float = 100.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


def made(instants: list[int]) -> list[Message]:
    return [Message(k, instant, Place(instant, k, 0), b"") for k, instant in enumerate(sorted(instants))]


@given(st.lists(st.integers(0, 500), max_size=60), st.integers(1, 7), st.sampled_from([0.5, 1.0, 60.0, None]), st.floats(0, 30))
def test_nothing_goes_early_none_is_lost_and_no_batch_is_large(instants: list[int], most: int, speed: float | None, slow_s: float) -> None:
    clock, messages, seen = Clock(), made(instants), list[Message]()
    begun = clock.seconds
    for batch, late_s in Pace(speed, most, lambda: clock.seconds, clock.sleep).batches(messages):
        assert 1 <= len(batch) <= most and late_s >= 0
        if speed is not None:
            due = [begun + (message.instant_s - messages[0].instant_s) / speed for message in batch]
            assert all(when <= clock.seconds + 1e-6 for when in due)
            assert abs(late_s - (clock.seconds - due[0])) < 1e-6
        seen += batch
        clock.seconds += slow_s  # a stream that takes its time
    assert seen == messages


def test_a_stream_that_keeps_up_gets_each_at_its_time() -> None:
    clock, times = Clock(0.0), list[float]()
    for batch, late_s in Pace(10.0, 100, lambda: clock.seconds, clock.sleep).batches(made([0, 0, 10, 25, 25, 100])):
        times += [clock.seconds] * len(batch)
        assert late_s == 0
    assert times == [0.0, 0.0, 1.0, 2.5, 2.5, 10.0]


def test_a_stream_that_was_slow_gets_what_is_due_at_once() -> None:
    clock, sizes = Clock(0.0), list[int]()
    for batch, _ in Pace(1.0, 100, lambda: clock.seconds, clock.sleep).batches(made([0, 1, 2, 3, 20])):
        sizes.append(len(batch))
        clock.seconds += 5.0
    assert sizes == [1, 3, 1]


def test_time_that_passes_before_the_first_message_delays_the_others_too() -> None:
    clock, times = Clock(0.0), list[float]()

    def sorting() -> Iterator[Message]:
        clock.seconds += 30.0
        yield from made([0, 10, 20])

    for batch, late_s in Pace(1.0, 100, lambda: clock.seconds, clock.sleep).batches(sorting()):
        times += [clock.seconds] * len(batch)
        assert late_s == 0
    assert times == [30.0, 40.0, 50.0]
