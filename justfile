# One door to everything that is checked; `just ci` is what must pass.

set shell := ["bash", "-euo", "pipefail", "-c"]

fuzzed := "metadata answer record page csv"

# The recipes.
default:
    @just --list --unsorted

# All checks, the tests first.
ci: test model lint deny benches manifests page fuzz

# Every test: units, properties, the real processes against real servers, KEDA's client against them.
test:
    cargo test --workspace
    cd tests/keda-client && go test -count=1 ./...

# Faults at random for so long, and nothing may grow; `test` has a minute of it.
soak seconds="3600":
    PRESCALE_SOAK_SECONDS={{ seconds }} cargo test --workspace --test it -- soak --nocapture

# What reads texts of strangers, fed for so many seconds each with texts that nobody thought of. A text that is not read as promised is
# left in fuzz/artifacts.
fuzz seconds="20":
    for target in {{ fuzzed }}; do \
        mkdir -p fuzz/target/found/$target && \
        CARGO_INCREMENTAL=0 cargo fuzz run --sanitizer none $target fuzz/target/found/$target fuzz/corpus/$target -- \
            -max_total_time={{ seconds }} -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_funcs=0 || exit 1; \
    done

# The corpus with what the last runs found, as few texts as reach the same code.
fuzz-keep:
    for target in {{ fuzzed }}; do \
        mkdir -p fuzz/target/kept/$target && \
        cargo fuzz run --sanitizer none $target fuzz/target/kept/$target fuzz/corpus/$target fuzz/target/found/$target -- -merge=1 && \
        rm -r fuzz/corpus/$target && mv fuzz/target/kept/$target fuzz/corpus/$target || exit 1; \
    done

# The programs that the tests in other languages start, from the build that `test` made: naming what it names keeps the features of every
# dependency, and with them the artifacts, the same.
[private]
programs:
    cargo build --workspace --bins --examples --test it

# The manifests: rendered, sent to a real API server, admitted by Pod Security, held to the programs; rules by promtool.
# Go keeps results of what lies outside a module, where it sees no change: hence the count.
manifests: programs
    cd tests/manifests && go test -count=1 ./...

# The status page in a real browser, and its API held to its own description.
page: programs
    cd tests/page && npm ci --no-audit --no-fund && npm test
    tests/page/api

# The pictures of the page and of the demo in the README, made anew.
picture:
    cargo build --release -p prescale
    cd tests/page && npm ci --no-audit --no-fund && PRESCALE_BIN=../../target/release/prescale npm run picture

# The manifests that hold rules, dashboards and namespaces, made anew of those.
manifests-update:
    cd tests/manifests && go test -run TestManifestsHoldTheRulesAndDashboardsAsTheyAre -update ./...

# A model added as CONTRIBUTING says, in a copy of the tree, and its tests.
model:
    tests/model/try

# The references of options and commands, made anew of the code.
reference:
    PRESCALE_UPDATE_REFERENCE=1 cargo test --workspace --bin prescale reference

# Form, lints and documentation, without a warning.
lint: lint-go
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The Go parts of the tests.
lint-go:
    for part in keda-client manifests; do (cd tests/$part && unformatted=$(gofmt -l .) && { [ -z "$unformatted" ] || { echo "gofmt: $unformatted" >&2; exit 1; }; } && go vet ./...); done

# The arrows between the rooms, licenses and sources; asks no advisory database.
deny:
    cargo deny check --allow unused-wrapper --allow duplicate bans licenses sources

# Known vulnerabilities, from a database on the network.
advisories:
    cargo deny check advisories

# Every benchmark once, to see that it runs.
benches:
    cargo test --workspace --bench answers --bench forecasting

# The benchmarks, measured.
bench *filter:
    cargo bench -p benches -- {{ filter }}

# Our forecasts beside the peers', into docs/benchmarks.md; asks for PRESCALE_TRACES, and PRESCALE_M4 for the hourly set.
compare:
    benches/compare

# What Prescale's values do to a fleet on load traces, into docs/benchmarks.md; asks for PRESCALE_TRACES and PRESCALE_AUTOSCALE.
autoscale *flags:
    benches/autoscale {{ flags }}

# Instructions of a fit and a forecast, counted by valgrind.
instructions:
    benches/instructions

# Bytes that one target holds.
memory *flags:
    cargo run --release -p benches --bin memory -- {{ flags }}

# What it costs to serve 100, 1,000 and 10,000 targets, beside an empty handler; servers on one core, the rest on another.
load *flags:
    cargo build --release -p benches -p prescale --bins --features prescale/jemalloc
    taskset -c 1 target/release/load --core 0 {{ flags }}

# A day of load in a minute, with and without forecast.
demo *flags:
    cargo run --release -p prescale -- demo {{ flags }}

# Everything formatted.
format:
    cargo fmt --all
    gofmt -w tests/keda-client tests/manifests
