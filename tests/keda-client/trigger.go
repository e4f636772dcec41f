package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// The position of the trigger in its ScaledObject. It never reaches the scaler but as a prefix that must not come back.
const triggerIndex = 1

// A name that survives as a segment of the metrics API's URL, in the lower case that KEDA sometimes turns it to.
var usableName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,58}$`)

// trigger is one external trigger, as KEDA holds it: it asks the scaler and applies KEDA's rules to the answers.
type trigger struct {
	client     pb.ExternalScalerClient
	reference  *pb.ScaledObjectRef
	report     *report
	atLeast    float64
	activation float64
}

// metricSpec is the external metric of the HPA that KEDA builds from one MetricSpec.
type metricSpec struct {
	name   string
	target string
}

func newTrigger(connection *grpc.ClientConn, chosen options, report *report) *trigger {
	activation, err := strconv.ParseFloat(chosen.metadata["activationThreshold"], 64)
	if err != nil {
		activation = 0
	}
	return &trigger{
		client:     pb.NewExternalScalerClient(connection),
		reference:  chosen.reference(),
		report:     report,
		atLeast:    chosen.atLeast,
		activation: activation,
	}
}

// specs asks for the metric specs; like KEDA it asks a second time, at once, where the first call fails.
func (t *trigger) specs(ctx context.Context) ([]metricSpec, error) {
	response, err := retriedOnce(func() (*pb.GetMetricSpecResponse, error) {
		t.report.called("GetMetricSpec")
		return t.client.GetMetricSpec(ctx, t.reference)
	})
	if !t.report.check("GetMetricSpec never fails: its failure stops every trigger of the object", err == nil, "%v", err) {
		return nil, err
	}
	return t.hpaSpecs(response), nil
}

// hpaSpecs is what goes into the HPA, after the checks that KEDA and the API server leave to the scaler.
func (t *trigger) hpaSpecs(response *pb.GetMetricSpecResponse) []metricSpec {
	specs := make([]metricSpec, 0, len(response.MetricSpecs))
	for _, spec := range response.MetricSpecs {
		target := float64(spec.TargetSize)
		if spec.TargetSizeFloat > 0 {
			target = spec.TargetSizeFloat
		}
		t.report.check("the metric name is a lower-case URL segment", usableName.MatchString(spec.MetricName), "%q", spec.MetricName)
		t.report.check("the target is positive in thousandths", quantity(target) != "0" && quantity(target) != "0.000", "%v", target)
		t.report.check("the int target is the float target rounded up",
			spec.TargetSize == int64(math.Ceil(spec.TargetSizeFloat)), "int %d, float %v", spec.TargetSize, spec.TargetSizeFloat)
		specs = append(specs, metricSpec{name: fmt.Sprintf("s%d-%s", triggerIndex, spec.MetricName), target: quantity(target)})
	}
	t.report.check("there is one metric spec", len(specs) == 1, "%d specs", len(specs))
	return specs
}

// value asks for one metric by the name the HPA knows it by, and for the activity right after, with one retry of both.
func (t *trigger) value(ctx context.Context, hpaName string) (float64, bool, error) {
	prefix := fmt.Sprintf("s%d-", triggerIndex)
	name, found := strings.CutPrefix(hpaName, prefix)
	if !found {
		return 0, false, fmt.Errorf("%q does not begin with %q", hpaName, prefix)
	}
	var active bool
	sum, err := retriedOnce(func() (float64, error) {
		t.report.called("GetMetrics")
		metrics, err := t.client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: t.reference, MetricName: name})
		if err != nil {
			return 0, err
		}
		t.report.called("IsActive")
		activity, err := t.client.IsActive(ctx, t.reference)
		if err != nil {
			return 0, fmt.Errorf("the value is lost, since IsActive failed: %w", err)
		}
		active = activity.Result
		return t.hpaValue(name, metrics), nil
	})
	return sum, active, err
}

// hpaValue is what the HPA computes with: it sums every value of the answer, whatever names they carry.
func (t *trigger) hpaValue(name string, response *pb.GetMetricsResponse) float64 {
	t.report.check("there is one metric value: an empty answer resets the fallback, and several are summed",
		len(response.MetricValues) == 1, "%d values", len(response.MetricValues))
	sum := 0.0
	for _, metric := range response.MetricValues {
		value := float64(metric.MetricValue)
		if metric.MetricValueFloat > 0 {
			value = metric.MetricValueFloat
		}
		float := metric.MetricValueFloat
		t.report.check("the value is finite and not negative", float >= 0 && !math.IsInf(float, 0), "%v", float)
		t.report.check("the int value is the float value rounded up",
			metric.MetricValue == int64(math.Ceil(float)), "int %d, float %v", metric.MetricValue, float)
		t.report.check("the value carries the name it was asked by", metric.MetricName == name, "%q, not %q", metric.MetricName, name)
		sum += value
	}
	return sum
}

// quantity writes a number as KEDA puts it into the metrics API: in thousandths, and 0 for what is no amount.
func quantity(value float64) string {
	if !(value >= 0) || math.IsInf(value, 0) {
		return "0"
	}
	return fmt.Sprintf("%.3f", value)
}

// retriedOnce repeats a failed call at once, as KEDA does after it rebuilt its scaler.
func retriedOnce[T any](call func() (T, error)) (T, error) {
	answer, err := call()
	if err != nil {
		answer, err = call()
	}
	return answer, err
}
