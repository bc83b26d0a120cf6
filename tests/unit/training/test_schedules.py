import math

import pytest

from lit_rec.errors import ConfigError
from lit_rec.training.schedules import ConstantSchedule, CosineSchedule, LinearSchedule

SCHEDULES = (ConstantSchedule, LinearSchedule, CosineSchedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warm_up_rises_in_equal_steps_and_never_begins_at_zero(schedule):
    factors = [schedule(0.4).factor(step, 10) for step in range(4)]
    assert factors == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_decay_by_hand():
    assert [LinearSchedule(0.5).factor(step, 8) for step in (4, 6, 8)] == [1.0, 0.5, 0.0]
    assert CosineSchedule(0.5).factor(5, 8) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert ConstantSchedule(0.5).factor(7, 8) == 1.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_step_leaves_zero_to_one(schedule):
    for steps in (1, 2, 7):
        assert all(0 <= schedule(0.1).factor(step, steps) <= 1 for step in range(steps + 3))


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_warm_up_out_of_range(fraction):
    with pytest.raises(ConfigError, match=str(fraction)):
        CosineSchedule(fraction)
