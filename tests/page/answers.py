"""Holds the answers about every target to their description: what a fuzzer, which knows no target's name, does not reach."""

import json
import sys
import urllib.parse
import urllib.request

import jsonschema_rs


def get(path):
    with urllib.request.urlopen(BASE + path, timeout=10) as answer:
        return json.load(answer)


def validator(name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)


BASE = sys.argv[1]
document = get("/api/v1/openapi.json")
targets, detail, moment = validator("TargetList"), validator("Detail"), validator("Moment")

listed = get("/api/v1/targets")
targets.validate(listed)
states = set()
for target in listed["targets"]:
    of_object = "/api/v1/targets/" + "/".join(urllib.parse.quote(target[part]) for part in ("namespace", "name"))
    targets.validate(get(of_object))
    own = f"{of_object}/{target['digest']}"
    answer = get(own)
    detail.validate(answer)
    for at in (listed["now"], answer["history"]["start"]):
        moment.validate(get(f"{own}/moment?at={at}"))
    states.add(target["state"])

missing = {"predicting", "shadow", "reactive", "learning", "degraded", "silent"} - states
assert not missing, f"no target is {missing}"
print(f"{len(listed['targets'])} targets in {len(states)} states answer as described")
