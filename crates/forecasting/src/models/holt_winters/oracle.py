#!/usr/bin/env python3
"""Numbers for oracle.rs, by another route: statsmodels' exponential smoothing with known initial states and smoothing parameters.

Run `python3 oracle.py` (numpy, statsmodels) and paste what it prints.
"""
import numpy as np
from statsmodels.tsa.holtwinters import ExponentialSmoothing

DAY = 24


def series(days):
    i = np.arange(days * DAY)
    load = 100 + 60 * np.sin(2 * np.pi * i / DAY) + (i * 7919 % 41) + 20 * ((i // DAY) % 2)
    return np.sqrt(load / np.abs(load).mean() + 0.1) - np.sqrt(0.1)


def forecast(y, level, season, alpha, beta, gamma, phi, steps):
    """Smoothing from known states on."""
    model = ExponentialSmoothing(
        y,
        trend="add" if beta else None,
        damped_trend=bool(beta),
        seasonal="add" if season is not None else None,
        seasonal_periods=DAY if season is not None else None,
        initialization_method="known",
        initial_level=level,
        initial_trend=0.0 if beta else None,
        initial_seasonal=season,
    )
    fit = model.fit(
        smoothing_level=alpha,
        # statsmodels' trend parameter is that of the level's change: ours over alpha
        smoothing_trend=beta / alpha if beta else None,
        smoothing_seasonal=gamma if season is not None else None,
        damping_trend=phi if beta else None,
        optimized=False,
    )
    return fit.forecast(steps)


y = series(6)
# the first day gives level and season, once the hour after it shows its drift
first = y[:DAY]
drift = y[DAY] - y[0]
season = first - first.mean() - drift * (np.arange(DAY) - (DAY - 1) / 2) / DAY
for name, (alpha, beta, gamma, phi) in {
    "damped, seasonal": (0.1, 0.01, 0.3, 0.95),
    "seasonal": (0.3, 0, 0.1, 0),
}.items():
    values = forecast(y[DAY + 1:], first.mean() + drift / 2, np.roll(season, -1), alpha, beta, gamma, phi, 30)
    print(name, [float(values[h - 1]) for h in (1, 2, 12, 30)])
for name, (alpha, beta, phi) in {"damped": (0.6, 0.06, 0.95), "plain": (0.3, 0, 0)}.items():
    values = forecast(y[1:], y[0], None, alpha, beta, None, phi, 30)
    print(name, [float(values[h - 1]) for h in (1, 2, 12, 30)])
