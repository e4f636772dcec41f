#!/usr/bin/env python3
"""Numbers for oracle.rs, by another route: numpy's sort and least squares (SVD) on rows augmented by the penalty.

Run `python3 oracle.py` (numpy only) and paste what it prints.
"""
import numpy as np

DAY, N = 288, 20 * 288
PENALTY = 1e-3
WINDOWS = [1, 3, 12, 48]
KNOTS = [1, 4, 36, 288]

i = np.arange(N)
load = 100 + 60 * np.sin(2 * np.pi * i / DAY) + (i * 7919 % 41) + 20 * ((i // DAY) % 2)
y = np.sqrt(load / np.abs(load).mean() + 0.1) - np.sqrt(0.1)
last = N - 1


def curve(index, origin):
    then = []
    for days in range(1, 15):
        source = index - days * DAY
        if source < 0 or source > origin:
            continue
        then += [y[source]] * (2 if days % 7 == 0 else 1)
    then.sort()
    aside = len(then) // 5
    return np.mean(then[aside: len(then) - aside])


# a day, two hours for a change of clocks
first = max(last - 18 * DAY, DAY + 24)
along = {index: curve(index, index - 1) for index in range(first, N)}
missed = {index: y[index] - c for index, c in along.items()}


def row(origin, then):
    means = [np.mean([missed[t] for t in range(origin + 1 - w, origin + 1)]) for w in WINDOWS]
    return means + [then - along[origin]]


oldest = max(last - 18 * DAY, first + WINDOWS[-1] - 1)
origins = list(range(last, oldest - 1, -((last - oldest) // 900)))
coefficients = []
for h in KNOTS:
    rows = [o for o in origins if o + h <= last]
    x = np.array([row(o, along[o + h]) for o in rows])
    z = np.array([missed[o + h] for o in rows])
    penalty = PENALTY * (x ** 2).sum() / x.shape[1]
    augmented = np.vstack([x, np.sqrt(penalty) * np.eye(x.shape[1])])
    coefficients.append(np.linalg.lstsq(augmented, np.concatenate([z, np.zeros(x.shape[1])]), rcond=None)[0])
out = []
for h in [1, 2, 4, 20, 36, 288, 300]:
    c = curve(last + h, last)
    moves = [row(last, c) @ b for b in coefficients]
    out.append(float(c + np.interp(np.log(h), np.log(KNOTS), moves)))
print(out)
