package main

import (
	"fmt"
	"sync"
)

// report gathers what was checked, from several goroutines.
type report struct {
	lock sync.Mutex

	// Calls counts the rpcs by method.
	Calls map[string]int `json:"calls"`
	// Metric is the name the HPA knows the metric by.
	Metric string `json:"metric"`
	// Target is the HPA's target, as Kubernetes writes it.
	Target string `json:"target"`
	// Values are the metric values the HPA would have computed with, in the order they came.
	Values []string `json:"values"`
	// Held counts the polls that were answered with an error before the first value was known.
	Held int `json:"held"`
	// Passed counts, by rule, how often it was seen to hold.
	Passed map[string]int `json:"passed"`
	// Violations are the rules that were seen broken.
	Violations []violation `json:"violations"`
}

type violation struct {
	Rule   string `json:"rule"`
	Detail string `json:"detail"`
}

func newReport() *report {
	return &report{Calls: map[string]int{}, Passed: map[string]int{}, Values: []string{}, Violations: []violation{}}
}

// check records that rule was seen to hold, or how it was broken.
func (r *report) check(rule string, holds bool, format string, arguments ...any) bool {
	if holds {
		r.lock.Lock()
		defer r.lock.Unlock()
		r.Passed[rule]++
	} else {
		r.violated(rule, fmt.Sprintf(format, arguments...))
	}
	return holds
}

func (r *report) violated(rule, detail string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Violations = append(r.Violations, violation{Rule: rule, Detail: detail})
}

func (r *report) called(method string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Calls[method]++
}

func (r *report) held() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Held++
}

func (r *report) value(text string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Values = append(r.Values, text)
}
