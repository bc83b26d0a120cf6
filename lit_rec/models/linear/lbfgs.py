"""L-BFGS: the minimum of a smooth convex function, in NumPy alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lit_rec.data.arrays import Float64s

_MEMORY = 8  # pairs of steps and changes of the gradient
_HALVINGS = 20  # of a step; after that, rounding hides any decrease
_ENOUGH = 1e-4  # of the decrease that the slope promises


def minimum(
    function: Callable[[Float64s], tuple[float, Float64s]],
    start: Float64s,
    curvature: Float64s,
    *,
    tolerance: float = 1e-6,
    max_steps: int = 200,
) -> Float64s:
    """Return where a smooth convex function is smallest.

    It stops when a step lowers the value by less than ``tolerance`` times the value. Steps are halved until they lower
    the value enough (Armijo's rule).

    Args:
        function: Returns the value and the gradient ``[n]`` at a point ``[n]``.
        start: ``[n]``.
        curvature: ``[n]``, an estimate of the Hessian's diagonal, above 0: the better, the fewer the steps.
        tolerance: The smallest relative decrease.
        max_steps: How many steps at most.

    Reference:
        Nocedal & Wright 2006, Numerical Optimization, https://doi.org/10.1007/978-0-387-40065-5, algorithm 7.5.

    Example:
        >>> import numpy as np
        >>> def bowl(x):
        ...     return float(((x - [1.0, -2.0]) ** 2 @ [1.0, 100.0])), 2 * (x - [1.0, -2.0]) * [1.0, 100.0]
        >>> minimum(bowl, np.zeros(2), np.ones(2), tolerance=1e-12).round(4).tolist()
        [1.0, -2.0]
    """
    point = start
    value, gradient = function(point)
    pairs: deque[tuple[Float64s, Float64s]] = deque(maxlen=_MEMORY)
    for _ in range(max_steps):
        direction = -_inverse_hessian_times(gradient, pairs, curvature)
        slope = float(direction @ gradient)
        if slope >= 0:  # the gradient is 0, or lost in rounding
            break
        step = 1.0
        for _ in range(_HALVINGS):
            new = point + step * direction
            new_value, new_gradient = function(new)
            if new_value <= value + _ENOUGH * step * slope:
                break
            step /= 2
        else:
            break
        moved, changed = new - point, new_gradient - gradient
        if moved @ changed > 0:
            pairs.append((moved, changed))
        decrease = value - new_value
        point, value, gradient = new, new_value, new_gradient
        if decrease <= tolerance * abs(value):
            break
    return point


def _inverse_hessian_times(
    gradient: Float64s, pairs: deque[tuple[Float64s, Float64s]], curvature: Float64s
) -> Float64s:
    """Return the product of the estimated inverse Hessian and the gradient."""
    product = gradient.copy()
    shares = []
    for moved, changed in reversed(pairs):
        share = float(moved @ product) / float(moved @ changed)
        shares.append(share)
        product -= share * changed
    product /= curvature
    if pairs:
        moved, changed = pairs[-1]
        product *= float(moved @ changed) / float(changed @ (changed / curvature))
    for (moved, changed), share in zip(pairs, reversed(shares), strict=True):
        product += (share - float(changed @ product) / float(moved @ changed)) * moved
    return product
