"""Scores what all methods wrote, and writes the tables into the document.

    python score.py --traces DIR --cache DIR --document ../../docs/benchmarks.md

Pinball   mean of q (y - f) above the forecast, (1 - q) (f - y) below, per trace, horizon and level.
WQL       2 x pinball summed over the nine deciles and the origins / 9 / sum |y|, per trace and horizon.
Rank      of a method among all, per trace, horizon and level (.5, .9, .99), averaged; 1 is best, ties share.
Coverage  share of loads at or below the quantile.

A week counts in the weekly coverage unless it has an outage: more than 5 % of its samples unknown, or, in a trace that is zero less than
a tenth of the time, zeros for two hours on end. Weeks follow each other from the first origin; half a week at least must be there.
"""

import argparse
import datetime
import glob
import importlib.metadata
import os
import platform
import re
import subprocess

import numpy as np
import pandas as pd

from traces import BEFORE_FIRST_ORIGIN, DAY, LEVELS, read_all

OURS = "prescale"
PERSISTENCE = "persistence"
COLUMNS = [f"q{level}" for level in LEVELS]
SCORED = (0.5, 0.9, 0.99)
DECILES = [place for place, level in enumerate(LEVELS) if level <= 0.9]
WEEK = 7 * DAY
CELL = ["trace", "h_minutes"]
RESAMPLES = 500


def with_actuals(rows, traces):
    """The rows with the load that came, `y`; where it is unknown there is nothing to score."""
    parts = []
    for name, part in rows.groupby("trace", sort=False):
        if name not in traces:
            continue
        trace = traces[name]
        steps = part.h_minutes.map(dict(trace.horizons())).to_numpy()
        index = trace.index(part.origin.to_numpy()) + steps
        inside = index < len(trace.values)
        parts.append(part[inside].assign(y=trace.values[index[inside]]))
    scored = pd.concat(parts, ignore_index=True)
    return scored[np.isfinite(scored.y)].reset_index(drop=True)


def losses(rows):
    """Pinball loss, one column per level."""
    miss = rows.y.to_numpy()[:, None] - rows[COLUMNS].to_numpy()
    levels = np.array(LEVELS)
    return np.maximum(levels * miss, (levels - 1) * miss)


def cells(rows):
    """Scores per trace, horizon and method."""
    loss = losses(rows)
    below = rows[COLUMNS].to_numpy() >= rows.y.to_numpy()[:, None]
    flat = rows[["trace", "h_minutes", "method"]].copy()
    for level in SCORED:
        flat[f"pinball {level}"] = loss[:, LEVELS.index(level)]
        flat[f"coverage {level}"] = below[:, LEVELS.index(level)]
    flat["deciles"] = 2 * loss[:, DECILES].sum(1) / len(DECILES)
    flat["size"] = rows.y.abs()
    flat["ms"] = rows.ms
    flat["origins"] = 1
    kinds = {column: "mean" for column in flat.columns[3:]} | {"ms": "median", "origins": "sum"}
    scores = flat.groupby(["trace", "h_minutes", "method"]).agg(kinds)
    scores["WQL"] = scores.deciles / scores["size"]
    return scores.drop(columns=["deciles", "size"])


def common(rows):
    """The rows at the origins that every method answered at every horizon."""
    methods = rows.method.nunique()
    asked = rows.groupby(["trace", "origin"])[["method", "h_minutes"]].agg(["nunique", "size"])
    complete = asked[asked["method"]["size"] == methods * asked["h_minutes"]["nunique"]].index
    kept = rows[pd.MultiIndex.from_frame(rows[["trace", "origin"]]).isin(complete)]
    missing = set(rows.trace) - set(kept.trace)
    if missing:
        raise SystemExit(f"no origin that every method answered: {', '.join(sorted(missing))}")
    return kept


def geometric(ratios):
    return float(np.exp(np.log(ratios).mean()))


def wql_ratios(rows, methods):
    """Per method, the geometric mean over trace and horizon of our WQL over its, with the 95 % interval of resampled origins."""
    random = np.random.default_rng(1)
    rows = rows.assign(deciles=losses(rows)[:, DECILES].sum(1))
    draws = {method: np.zeros(RESAMPLES + 1) for method in methods}
    count = 0
    for _, part in rows.groupby("trace"):
        origins = part.origin.nunique()
        picks = np.vstack([np.arange(origins), random.integers(0, origins, (RESAMPLES, origins))])
        for _, cell in part.groupby("h_minutes"):
            table = cell.pivot(index="origin", columns="method", values="deciles")
            ours = np.log(table[OURS].to_numpy()[picks].sum(1))
            for method in methods:
                draws[method] += ours - np.log(table[method].to_numpy()[picks].sum(1))
            count += 1
    return {method: np.exp(sums / count) for method, sums in draws.items()}


def summary_table(rows, scores):
    methods = sorted(rows.method.unique())
    peers = [method for method in methods if method != OURS]
    ratios = wql_ratios(rows, peers)
    ranks = {level: scores[f"pinball {level}"].unstack("method").rank(axis=1).mean() for level in SCORED}
    ranks["all"] = sum(ranks.values()) / len(SCORED)
    wql = scores.WQL.unstack("method")
    lines = [
        "| method | mean rank | at .5 | at .9 | at .99 | our WQL / its | 95 % interval | covers .9 | covers .99 | ms per fit and forecast |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for method in ranks["all"].sort_values().index:
        per = scores.xs(method, level="method")
        ratio, interval = "", ""
        if method != OURS:
            ratio = f"{ratios[method][0]:.3f}"
            interval = "{:.3f} to {:.3f}".format(*np.quantile(ratios[method][1:], (0.025, 0.975)))
        name = f"**{method}**" if method == OURS else method
        lines.append(
            f"| {name} | {ranks['all'][method]:.2f} | {ranks[0.5][method]:.2f} | {ranks[0.9][method]:.2f} | {ranks[0.99][method]:.2f} "
            f"| {ratio} | {interval} | {per['coverage 0.9'].mean():.3f} | {per['coverage 0.99'].mean():.3f} | {per.ms.median():.3g} |"
        )
    best = wql[peers].min(axis=1)
    favorite = min(peers, key=lambda peer: geometric(wql[peer] / wql[PERSISTENCE]))
    counts = scores.xs(OURS, level="method").origins
    lines += [
        "",
        f"{counts.min()} to {counts.max()} origins per trace, the same for all; {len(wql)} pairs of trace and horizon. Our WQL over that of the best peer of each",
        f"pair, picked with hindsight: geometric mean **{geometric(wql[OURS] / best):.3f}**; we are the best in {(wql[OURS] <= best).sum()} of {len(wql)}. Over that of {favorite},",
        f"the best single peer: **{geometric(wql[OURS] / wql[favorite]):.3f}**. The interval is of origins drawn anew; it says nothing of other traces.",
    ]
    return lines


def cell_table(scores):
    wql = scores.WQL.unstack("method")
    peers = wql.drop(columns=OURS)
    minutes = sorted(wql.index.unique("h_minutes"))
    lines = [
        "| our WQL, that of the best peer | " + " | ".join(f"{m} min" for m in minutes) + " |",
        "|---|" + "---|" * len(minutes),
    ]
    for trace in wql.index.unique("trace"):
        texts = []
        for m in minutes:
            if (trace, m) not in wql.index:
                texts.append("")
                continue
            ours, best, name = wql.loc[(trace, m), OURS], peers.loc[(trace, m)].min(), peers.loc[(trace, m)].idxmin()
            mark = "**" if ours <= best else ""
            texts.append(f"{mark}{ours:.4f}{mark}, {best:.4f} {name}")
        lines.append(f"| {trace} | " + " | ".join(texts) + " |")
    return lines


def walk_table(scores):
    minutes = sorted(scores.index.unique("h_minutes"))
    lines = [
        "| our pinball over persistence's at .5 .9 .99 | " + " | ".join(f"{m} min" for m in minutes) + " | origins |",
        "|---|" + "---|" * (len(minutes) + 1),
    ]
    worst = (0.0, "")
    for trace in scores.index.unique("trace"):
        texts, origins = [], 0
        for m in minutes:
            if (trace, m, OURS) not in scores.index:
                texts.append("")
                continue
            ours, base = scores.loc[(trace, m, OURS)], scores.loc[(trace, m, PERSISTENCE)]
            ratios = [ours[f"pinball {level}"] / base[f"pinball {level}"] for level in SCORED]
            worst = max([worst, *((ratio, f"{trace}, {m} min, {level}") for ratio, level in zip(ratios, SCORED))])
            texts.append(" ".join(f"{ratio:.3f}" for ratio in ratios))
            origins = max(origins, int(ours.origins))
        lines.append(f"| {trace} | " + " | ".join(texts) + f" | {origins} |")
    naive = [method for method in scores.index.unique("method") if method != OURS]
    pinball = {level: scores[f"pinball {level}"].unstack("method") for level in SCORED}
    texts = [
        f"{geometric(table[OURS] / table[PERSISTENCE]):.3f} at {level} ({geometric(table[OURS] / table[naive].min(axis=1)):.3f})"
        for level, table in pinball.items()
    ]
    lines += [
        "",
        f"Worst of all: **{worst[0]:.3f}** ({worst[1]}). Geometric means over persistence (and over the best of the three baselines of each pair, with hindsight): {', '.join(texts)}.",
    ]
    return lines


def outage(values, step, often_zero):
    """Whether a week of samples has one, by the rule above."""
    if np.isnan(values).mean() > 0.05:
        return True
    longest = run = 0
    for value in values:
        run = run + 1 if value == 0 else 0
        longest = max(longest, run)
    return not often_zero and longest * step >= 7200


def coverage_table(rows, traces):
    lines = [
        "| share of loads at or below | .9 at 5, 15, 60 min | .99 at 5, 15, 60 min | weeks (left out) | .9 by week, all horizons | .99 by week |",
        "|---|---|---|---|---|---|",
    ]
    gaps = {0.9: [], 0.99: []}
    for name, part in rows[rows.method == OURS].groupby("trace"):
        trace = traces[name]
        below = {level: part.y <= part[f"q{level}"] for level in (0.9, 0.99)}
        whole = {level: covered.groupby(part.h_minutes).mean() for level, covered in below.items()}
        first = trace.start + BEFORE_FIRST_ORIGIN
        week = (part.origin - first) // WEEK
        often_zero = np.mean(trace.values[np.isfinite(trace.values)] == 0) > 0.1
        full = trace.steps(WEEK)
        kept, left_out = [], 0
        for number in sorted(week.unique()):
            start = trace.index(first + number * WEEK)
            values = trace.values[start : start + full]
            if len(values) < full / 2:
                continue
            if outage(values, trace.step, often_zero):
                left_out += 1
            else:
                kept.append(number)
        weekly = {level: covered[week.isin(kept)].groupby(week).mean() for level, covered in below.items()}
        for level in gaps:
            gaps[level].append((weekly[level] - level).abs().mean())
        spans = [f"{weekly[level].min():.3f} to {weekly[level].max():.3f}" if kept else "" for level in (0.9, 0.99)]
        texts = [" ".join(f"{share:.3f}" for share in whole[level]) for level in (0.9, 0.99)]
        lines.append(f"| {name} | {texts[0]} | {texts[1]} | {len(kept)} ({left_out}) | {spans[0]} | {spans[1]} |")
    lines += [
        "",
        "Mean distance of a week's coverage from its level, over the traces: "
        + ", ".join(f"{np.nanmean(distances):.3f} at {level}" for level, distances in gaps.items())
        + ".",
    ]
    return lines


def provenance(repository):
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("statsforecast", "prophet", "numpy")]
    with open(os.path.join(repository, "Cargo.lock")) as file:
        augurs = re.search(r'name = "augurs"\nversion = "([^"]+)"', file.read()).group(1)
    def git(*arguments):
        return subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True).stdout.strip()

    commit = git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain", "--", "crates") else "")
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read()).group(1)
    return (
        f"{datetime.date.today()}, commit {commit}; {', '.join(packages)}, augurs {augurs}, Python {platform.python_version()}; "
        f"{model}, {os.cpu_count()} cores."
    )


def replace(document, name, lines):
    """Puts the lines between the two markers of that name."""
    with open(document) as file:
        text = file.read()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    with open(document, "w") as file:
        file.write(before + begin + "\n".join(lines) + "\n" + end + after)


def read_rows(pattern):
    paths = sorted(glob.glob(pattern))
    if not paths:
        raise SystemExit(f"nothing at {pattern}")
    return pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", default=os.environ.get("PRESCALE_TRACES"), help="directory with MANIFEST.csv")
    parser.add_argument("--cache", required=True, help="directory with sample/*.csv and walk/*.csv")
    parser.add_argument("--document", help="file with the markers; standard output alone unless stated")
    arguments = parser.parse_args()
    traces = read_all(arguments.traces)
    sample = common(with_actuals(read_rows(os.path.join(arguments.cache, "sample", "*.csv")), traces))
    walk = with_actuals(read_rows(os.path.join(arguments.cache, "walk", "*.csv")), traces)
    sample_scores, walk_scores = cells(sample), cells(common(walk))
    sample_scores.to_csv(os.path.join(arguments.cache, "scores-sample.csv"))
    walk_scores.to_csv(os.path.join(arguments.cache, "scores-walk.csv"))
    tables = {
        "peers": summary_table(sample, sample_scores),
        "peers by trace": cell_table(sample_scores),
        "walk": walk_table(walk_scores),
        "coverage": coverage_table(walk, traces),
    }
    repository = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    tables["provenance"] = [provenance(repository)]
    for name, lines in tables.items():
        print("\n".join(["", name, *lines]))
        if arguments.document:
            replace(arguments.document, name, lines)


if __name__ == "__main__":
    main()
