"""Reads dashboards with Grafana's own types, and tells what those do not know."""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def unlike(written, read, path):
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key in read:
                yield from unlike(value, read[key], f"{path}/{key}")
            else:
                yield f"{path}/{key} is unknown"
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for place, pair in enumerate(zip(written, read)):
            yield from unlike(*pair, f"{path}/{place}")
    elif written != read:
        yield f"{path} is {written}, read as {read}"


register_default_plugins()
mistakes = []
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        dashboard = json.load(text)
    mistakes += unlike(dashboard, json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard))), file)
print("\n".join(mistakes))
sys.exit(bool(mistakes))
