"""Writes the common sample of origins as CSV: trace and origin in seconds, in the order of the sample.

    python sample.py --traces DIR > sample.csv
"""

import argparse
import os

from traces import read_all, sample_origins


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", default=os.environ.get("PRESCALE_TRACES"), help="directory with MANIFEST.csv")
    traces = read_all(parser.parse_args().traces)
    print("trace,origin")
    for trace in traces.values():
        for origin in sample_origins(trace):
            print(f"{trace.name},{trace.time(origin)}")


if __name__ == "__main__":
    main()
