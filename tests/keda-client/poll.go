package main

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pollUntilKnown polls as the operator does from the moment the ScaledObject appears, until a value is known.
// An error is fine until then, since KEDA holds the replicas; an invented value is not.
func (t *trigger) pollUntilKnown(ctx context.Context, patience, interval time.Duration) bool {
	deadline := time.Now().Add(patience)
	for {
		specs, err := t.specs(ctx)
		if err != nil || len(specs) == 0 {
			return false
		}
		t.report.Metric, t.report.Target = specs[0].name, specs[0].target
		value, active, err := t.value(ctx, specs[0].name)
		if err == nil {
			t.judge(value, active)
			return true
		}
		t.report.held()
		t.report.check("an error says what is wrong, since users read it in an event",
			status.Convert(err).Message() != "" && status.Code(err) != codes.Unimplemented, "%v", err)
		if time.Now().After(deadline) {
			t.report.violated("a value is known in time", err.Error())
			return false
		}
		time.Sleep(interval)
	}
}

// poll is the operator's loop: the specs, then a value and the activity for each of them.
func (t *trigger) poll(ctx context.Context, times int, interval time.Duration) {
	for range times {
		t.once(ctx)
		time.Sleep(interval)
	}
}

// askAsHPA is the metrics adapter's path, taken for every sync of the HPA while the operator polls: the specs first, of
// which the one that carries the wanted name is asked for.
func (t *trigger) askAsHPA(ctx context.Context, times int, interval time.Duration) {
	wanted := t.report.Metric
	for range times {
		specs, err := t.specs(ctx)
		if err != nil {
			return
		}
		found := false
		for _, spec := range specs {
			if spec.name == wanted {
				found = true
				t.known(ctx, spec)
			}
		}
		t.report.check("the metric keeps the name the HPA was built with", found, "%q is gone, there are %v", wanted, specs)
		time.Sleep(interval)
	}
}

func (t *trigger) once(ctx context.Context) {
	specs, err := t.specs(ctx)
	if err != nil {
		return
	}
	for _, spec := range specs {
		t.known(ctx, spec)
	}
}

// known asks for a value that must be there, because one was known before.
func (t *trigger) known(ctx context.Context, spec metricSpec) {
	t.report.check("the target never changes: it reaches the HPA only when the object is reconciled",
		spec.target == t.report.Target, "%s, then %s", t.report.Target, spec.target)
	value, active, err := t.value(ctx, spec.name)
	if t.report.check("once a value is known there always is one", err == nil, "%v", err) {
		t.judge(value, active)
	}
}

func (t *trigger) judge(value float64, active bool) {
	t.report.value(quantity(value))
	t.report.check("the value is at least what was demanded", value >= t.atLeast, "%v is below %v", value, t.atLeast)
	t.report.check("load above the activation threshold is active: KEDA scales to zero otherwise, whatever the value",
		active || value <= t.activation, "value %v, activation threshold %v, inactive", value, t.activation)
}
