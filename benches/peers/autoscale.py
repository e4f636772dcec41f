#!/usr/bin/env python3
"""Backtests load traces and has the decisions scored by an independent simulation of HPA and pods; called by benches/autoscale.

Every trace that the manifest marks as fit for it, its first 28 days, for every start-up and tolerance: one run of `prescale backtest` with all
service levels, and the script that --score names for the scores. What it computes of the baselines and the limit is kept in the cache.
"""
import argparse
import concurrent.futures
import csv
import datetime
import gzip
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

FITNESS, FIT = "autoscale_1min", "2"
DAYS = 28
LEVELS = (1.0, 0.5)


def load_script(path):
    spec = importlib.util.spec_from_file_location("scores", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def traces(directory, only):
    with open(os.path.join(directory, "MANIFEST.csv"), newline="") as file:
        fit = [row["file"] for row in csv.DictReader(file) if row[FITNESS] == FIT]
    return [name for name in fit if not only or any(name.startswith(one) for one in only)]


def first_days(source, target):
    """The rows of the first 28 days; the simulation takes no more."""
    if os.path.exists(target):
        return target
    with gzip.open(source, "rt") as read, open(target + ".part", "w") as written:
        header, first, second, *rest = read.read().splitlines()
        step = int(float(second.split(",")[0])) - int(float(first.split(",")[0]))
        rows = [first, second, *rest][: DAYS * 86400 // step]
        written.write("\n".join([header, *rows]) + "\n")
    os.replace(target + ".part", target)
    return target


def families(script, cache, path, start, tolerance):
    """What baselines and limit come to: (share of time short in percent, relative cost) each."""
    stamp = f"{os.path.basename(path)}-{start:g}-{tolerance:g}-{os.path.getmtime(script.__file__):.0f}.json"
    kept = os.path.join(cache, stamp)
    if os.path.exists(kept):
        with open(kept) as file:
            return json.load(file)
    _, step, values = script.read_trace(path)
    begin = script.WARMUP_DAYS * 86400 // step
    capacity = values[begin:].mean() / 20
    found = script.baselines(values, step, capacity, start, begin, tolerance)
    found["limit"] = script.limit(values, step, capacity, start, begin, tolerance)
    with open(kept + ".part", "w") as file:
        json.dump(found, file)
    os.replace(kept + ".part", kept)
    return found


def run(arguments, script, name, start, tolerance):
    """One trace under one setting: a dict of what came out."""
    short = name.removesuffix(".csv.gz").removesuffix("_1m")
    path = first_days(os.path.join(arguments.traces, name), os.path.join(arguments.cache, short + ".csv"))
    t0, step, values = script.read_trace(path)
    begin = script.WARMUP_DAYS * 86400 // step
    capacity = values[begin:].mean() / 20
    pattern = os.path.join(arguments.cache, f"{short}-{start:g}-{tolerance:g}-{{slo}}.csv")
    command = [arguments.prescale, "backtest", "--trace", path, "--threshold", f"{capacity:.9g}", "--lead-time", f"{start:g}s"]
    command += ["--hpa-tolerance", f"{tolerance:g}", "--decisions", pattern, "--json"]
    for slo in arguments.slos:
        command += ["--slo", f"{slo:g}%"]
    began = time.monotonic()
    answer = subprocess.run(command, capture_output=True, text=True)
    took = time.monotonic() - began
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)}\n{answer.stderr}")
    family = families(script, arguments.cache, path, start, tolerance)
    load = script.grid(values, step, begin)
    short_of, points = {}, []
    for slo in arguments.slos:
        decisions = script.read_decisions(pattern.replace("{slo}", f"{slo:g}"), t0, step, len(values), begin)
        scores = script.simulate(load, decisions, capacity, capacity, start, tolerance=tolerance)
        short_of[f"{slo:g}"] = {"under": scores["under"], "cost": scores["cost"], "actions": scores["actions"]}
        points.append((scores["under"], scores["cost"]))
    matched = {}
    for level in LEVELS:
        costs = {key: script.at_matched(value, level) for key, value in family.items()}
        ours, limit = script.at_matched(points, level), costs.pop("limit")
        best = min((cost for cost in costs.values() if cost), default=None)
        gap = (best - ours) / (best - limit) if ours and best and limit and best > limit else None
        matched[f"{level:g}"] = {"prescale": ours, "best": best, "limit": limit, "gap_closed": gap}
    return {"trace": short, "start": start, "tolerance": tolerance, "matched": matched, "slos": short_of, "seconds": took}


def cell(number, places=2, none="–"):
    return none if number is None else f"{number:.{places}f}"


def tables(results, slos):
    """Markdown: the way to the limit per trace and setting, what it comes to, and the shortage per service level."""
    settings = sorted({(one["start"], one["tolerance"]) for one in results}, key=lambda one: (one[0], -one[1]))
    names = sorted({one["trace"] for one in results})
    by = {(one["trace"], one["start"], one["tolerance"]): one for one in results}
    head = [f"{start:g} s, {tolerance:g}: at {level:g} %" for start, tolerance in settings for level in LEVELS]
    lines = ["| trace | " + " | ".join(head) + " |", "|---" + "|---:" * len(head) + "|"]

    def gaps(name):
        return [by[name, *setting]["matched"][f"{level:g}"] if (name, *setting) in by else None for setting in settings for level in LEVELS]

    def shown(match):
        if match is None:
            return ""
        if match["gap_closed"] is None:
            return "reached" if match["prescale"] and not match["best"] else "not reached" if not match["prescale"] else "–"
        return cell(match["gap_closed"])

    for name in names:
        lines.append(f"| {name} | " + " | ".join(shown(match) for match in gaps(name)) + " |")
    columns = list(zip(*[gaps(name) for name in names]))
    known = [[match["gap_closed"] for match in column if match and match["gap_closed"] is not None] for column in columns]
    lines.append("| **median** | " + " | ".join(f"**{cell(statistics.median(column) if column else None)}**" for column in known) + " |")
    lines.append("| 0.4 or more | " + " | ".join(f"{sum(gap >= 0.4 for gap in column)} of {len(column)}" for column in known) + " |")
    lines.append("| below 0 | " + " | ".join(str(sum(gap < 0 for gap in column)) for column in known) + " |")
    levels = [slo for slo in slos if slo in (99.0, 99.5, 99.9)]
    head = [f"{start:g} s, {tolerance:g}: {slo:g} %" for start, tolerance in settings for slo in levels]
    lines += ["", "Time with too few pods, percent:", "", "| trace | " + " | ".join(head) + " |", "|---" + "|---:" * len(head) + "|"]

    def unders(name):
        found = [by.get((name, *setting)) for setting in settings]
        return [one["slos"][f"{slo:g}"]["under"] if one else None for one in found for slo in levels]

    for name in names:
        lines.append(f"| {name} | " + " | ".join(cell(under, 3, "") for under in unders(name)) + " |")
    allowed = [100 - slo for _ in settings for slo in levels]
    columns = [[under / most for under in column if under is not None] for column, most in zip(zip(*[unders(name) for name in names]), allowed)]
    lines.append("| half to one and a half times the allowed | " + " | ".join(f"{sum(0.5 <= one <= 1.5 for one in column)} of {len(column)}" for column in columns) + " |")
    lines.append("| most, as a multiple of the allowed | " + " | ".join(cell(max(column) if column else None) for column in columns) + " |")
    return lines


def replace(document, name, lines):
    """Puts the lines between the two markers of that name."""
    with open(document) as file:
        text = file.read()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    with open(document, "w") as file:
        file.write(before + begin + "\n".join(lines) + "\n" + end + after)


def main():
    numbers = lambda text: [float(one.rstrip("%s")) for one in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prescale", required=True, help="the program")
    parser.add_argument("--traces", required=True, help="directory with MANIFEST.csv")
    parser.add_argument("--score", required=True, help="the script that scores decisions")
    parser.add_argument("--cache", required=True, help="directory for decisions and scores")
    parser.add_argument("--document", help="file with the markers")
    parser.add_argument("--only", action="append", default=[], help="traces whose name begins so; the document is left as it is")
    parser.add_argument("--starts", type=numbers, default=[180.0, 600.0], help="start-ups of pods, seconds")
    parser.add_argument("--tolerances", type=numbers, default=[0.1, 0.0], help="tolerances of the HPA")
    parser.add_argument("--slos", type=numbers, default=[97.0, 98.0, 99.0, 99.5, 99.8, 99.9], help="service levels, percent")
    parser.add_argument("--jobs", type=int, default=1, help="traces worked on at once")
    arguments = parser.parse_args()
    script = load_script(arguments.score)
    work = [(name, start, tolerance) for name in traces(arguments.traces, arguments.only) for start in arguments.starts for tolerance in arguments.tolerances]
    results = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for one in pool.map(lambda item: run(arguments, script, *item), work):
            results.append(one)
            gaps = " ".join(f"{level}% {cell(match['gap_closed'])}" for level, match in one["matched"].items())
            shorts = " ".join(f"{slo}%:{scores['under']:.2f}" for slo, scores in one["slos"].items())
            print(f"{one['trace']:24} start {one['start']:g} tolerance {one['tolerance']:g}  gap closed {gaps}  short {shorts}  {one['seconds']:.1f} s", file=sys.stderr, flush=True)
    with open(os.path.join(arguments.cache, "results.json"), "w") as file:
        json.dump(results, file, indent=1)
    lines = tables(results, arguments.slos)
    print("\n".join(lines))
    is_whole = not arguments.only and len(arguments.starts) * len(arguments.tolerances) == 4
    if arguments.document and is_whole:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        replace(arguments.document, "autoscale", [f"{datetime.date.today()}, commit {commit}.", "", *lines])


if __name__ == "__main__":
    main()
