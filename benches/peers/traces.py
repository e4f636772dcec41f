"""Load traces, and the sample of origins that every method forecasts from."""

import csv
import gzip
import os
import random
from dataclasses import dataclass

import numpy as np

HORIZON_MINUTES = (5, 15, 60)
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
COLUMNS = ["trace", "origin", "h_minutes", "method", *(f"q{level}" for level in LEVELS)]
DAY = 86_400
WINDOW = 14 * DAY
BEFORE_FIRST_ORIGIN = 3 * DAY
SEED = 20_260
SAMPLE = 300


@dataclass(frozen=True)
class Trace:
    """Regular samples; unknown ones are NaN. `start` and `step` in seconds."""

    name: str
    start: int
    step: int
    values: np.ndarray

    def steps(self, seconds):
        """How many steps reach or pass that many seconds."""
        return -(-seconds // self.step)

    def horizons(self):
        """Pairs of minutes and steps ahead; where two come to the same step, the nearer one alone."""
        pairs = {}
        for minutes in HORIZON_MINUTES:
            pairs.setdefault(self.steps(60 * minutes), minutes)
        return [(minutes, steps) for steps, minutes in pairs.items()]

    def time(self, index):
        return self.start + index * self.step

    def index(self, time):
        return (time - self.start) // self.step


def read_all(directory):
    """The traces that the manifest marks as fit for forecasts of 5 to 60 minutes, by name."""
    with open(os.path.join(directory, "MANIFEST.csv"), newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["forecast_5_60min"] == "2"]
    traces = [read(os.path.join(directory, row["file"])) for row in rows]
    return {trace.name: trace for trace in traces}


def read(path):
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.reader(file))[1:]
    times = [int(row[0]) for row in rows]
    step = times[1] - times[0]
    if any(later - earlier != step for earlier, later in zip(times, times[1:])):
        raise ValueError(f"{path}: the times are not {step} s apart")
    values = np.array([float(row[1]) if row[1] else np.nan for row in rows])
    return Trace(os.path.basename(path).removesuffix(".csv.gz"), times[0], step, values)


def sample_origins(trace):
    """Indices in random order, the same in every run: after day 3, where the origin and all that is asked there are known."""
    known = np.isfinite(trace.values)
    last = max(steps for _, steps in trace.horizons())
    origins = [
        index
        for index in range(trace.steps(BEFORE_FIRST_ORIGIN), len(known) - last)
        if known[index] and all(known[index + steps] for _, steps in trace.horizons())
    ]
    generator = random.Random(f"{SEED} {trace.name}")
    return generator.sample(origins, min(SAMPLE, len(origins)))


def history(trace, origin, samples):
    """The newest `samples` up to the origin, of 14 days at most; unknown ones on a straight line between their neighbors."""
    samples = min(samples, trace.steps(WINDOW))
    values = trace.values[max(0, origin + 1 - samples) : origin + 1]
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known])
