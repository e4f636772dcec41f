"""Forecasts of one peer from the common sample of origins; what is there already is kept.

    python forecast.py --traces DIR --cache DIR --method autoets --first 100
"""

import argparse
import csv
import logging
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from traces import COLUMNS, DAY, LEVELS, WINDOW, history, read_all, sample_origins

# the widths of the central intervals whose upper ends are the levels above the median
WIDTHS = {level: round(200 * level - 100) for level in LEVELS if level > 0.5}
LONG = 4320
PROPHET_DRAWS = 1000


def from_intervals(forecast, ahead):
    """Quantiles from a mean and symmetric intervals."""
    upper = {level: forecast[f"hi-{width}"][ahead - 1] for level, width in WIDTHS.items()}
    lower = {round(1 - level, 2): forecast[f"lo-{width}"][ahead - 1] for level, width in WIDTHS.items()}
    both = {**upper, **lower, 0.5: forecast["mean"][ahead - 1]}
    return [both[level] for level in LEVELS]


def statsforecast(model, trace, origin, samples):
    values = history(trace, origin, samples)
    steps = [steps for _, steps in trace.horizons()]
    forecast = model.forecast(y=values, h=max(steps), level=sorted(WIDTHS.values()))
    return [from_intervals(forecast, ahead) for ahead in steps]


def autoets(trace, origin):
    """Without a season, on the last 4,320 samples (3 days of minutes)."""
    from statsforecast.models import AutoETS

    return statsforecast(AutoETS(season_length=1, model="ZZN"), trace, origin, LONG)


def autoarima(trace, origin):
    """Without a season, on the last 4,320 samples; candidates compared by the approximation that R takes for such lengths."""
    from statsforecast.models import AutoARIMA

    return statsforecast(AutoARIMA(season_length=1, approximation=True), trace, origin, LONG)


def mstl(trace, origin):
    """A season of a day over the last 7 days (of minutes; 14 of coarser steps), AutoETS for the rest.

    Loess is computed at every tenth of its windows and interpolated, as R does: ten times faster, the same to three digits.
    """
    from statsforecast.models import MSTL, AutoETS

    day = trace.steps(DAY)
    samples = day * (7 if trace.step < 300 else 14)
    jumps = {"seasonal_jump": 1, "trend_jump": -(-day // 6), "low_pass_jump": -(-day // 10)}
    model = MSTL(season_length=[day], trend_forecaster=AutoETS(model="ZZN"), stl_kwargs=jumps)
    return statsforecast(model, trace, origin, samples)


def prophet(trace, origin):
    """Day and (from 14 days on) week, on every fifth minute of the last 14 days; quantiles of 1,000 draws."""
    from prophet import Prophet

    values = history(trace, origin, trace.steps(WINDOW))
    every = max(1, 300 // trace.step)
    places = np.arange(len(values) - 1, -1, -every)[::-1]
    times = trace.time(origin + 1 - len(values) + places)
    frame = pd.DataFrame({"ds": pd.to_datetime(times, unit="s"), "y": values[places]})
    model = Prophet(
        daily_seasonality=True,
        weekly_seasonality=len(values) >= trace.steps(WINDOW),
        yearly_seasonality=False,
        uncertainty_samples=PROPHET_DRAWS,
    ).fit(frame, seed=1)
    ahead = pd.to_timedelta([steps * trace.step for _, steps in trace.horizons()], unit="s")
    np.random.seed(1)
    draws = model.predictive_samples(pd.DataFrame({"ds": frame.ds.iloc[-1] + ahead}))["yhat"]
    return np.quantile(draws, LEVELS, axis=1).T


METHODS = {"autoets": autoets, "mstl": mstl, "autoarima": autoarima, "prophet": prophet}


def written(path):
    """Pairs of trace and origin that the file holds."""
    if not os.path.exists(path):
        return set()
    with open(path, newline="") as file:
        return {(row["trace"], int(row["origin"])) for row in csv.DictReader(file)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", default=os.environ.get("PRESCALE_TRACES"), help="directory with MANIFEST.csv")
    parser.add_argument("--cache", required=True, help="directory for the forecasts")
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--first", type=int, required=True, help="how many origins of the sample, per trace")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    traces = read_all(arguments.traces)
    os.makedirs(arguments.cache, exist_ok=True)
    path = os.path.join(arguments.cache, f"{arguments.method}.csv")
    done = written(path)
    forecast = METHODS[arguments.method]
    warm = False
    with open(path, "a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow([*COLUMNS, "ms"])
        for trace in traces.values():
            for origin in sample_origins(trace)[: arguments.first]:
                if (trace.name, trace.time(origin)) in done:
                    continue
                if not warm:
                    forecast(trace, origin)
                    warm = True
                began = time.perf_counter()
                rows = np.asarray(forecast(trace, origin), dtype=float)
                ms = 1000 * (time.perf_counter() - began)
                # a load that never was negative will not be
                if np.nanmin(trace.values[: origin + 1]) >= 0:
                    rows = np.maximum(rows, 0)
                for (minutes, _), row in zip(trace.horizons(), np.sort(rows, axis=1)):
                    quantiles = [f"{value:.6g}" for value in row]
                    writer.writerow([trace.name, trace.time(origin), minutes, arguments.method, *quantiles, f"{ms:.1f}"])
                file.flush()
            print(f"{arguments.method} {trace.name}", flush=True)


if __name__ == "__main__":
    main()
