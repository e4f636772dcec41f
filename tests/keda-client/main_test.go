package main

import (
	"context"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// fake is a scaler that does as it should, but for what a test spoils.
type fake struct {
	pb.UnimplementedExternalScalerServer
	specs      *pb.GetMetricSpecResponse
	specsError error
	streamed   []*pb.GetMetricSpecResponse
	values     *pb.GetMetricsResponse
	active     bool
	activity   error
	pushed     []bool
	pushEnd    error
	health     grpc_health_v1.HealthCheckResponse_ServingStatus
	reflected  bool
}

func sound() *fake {
	specs := &pb.GetMetricSpecResponse{
		MetricSpecs: []*pb.MetricSpec{{MetricName: "load", TargetSize: 13, TargetSizeFloat: 12.5}},
	}
	return &fake{
		specs:     specs,
		streamed:  []*pb.GetMetricSpecResponse{specs},
		values:    values(41.25),
		active:    true,
		pushed:    []bool{true},
		health:    grpc_health_v1.HealthCheckResponse_SERVING,
		reflected: true,
	}
}

func values(amounts ...float64) *pb.GetMetricsResponse {
	response := &pb.GetMetricsResponse{}
	for _, amount := range amounts {
		response.MetricValues = append(response.MetricValues,
			&pb.MetricValue{MetricName: "load", MetricValue: int64(math.Ceil(amount)), MetricValueFloat: amount})
	}
	return response
}

func (f *fake) GetMetricSpec(context.Context, *pb.ScaledObjectRef) (*pb.GetMetricSpecResponse, error) {
	return f.specs, f.specsError
}

func (f *fake) GetMetrics(_ context.Context, request *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	if request.MetricName != "load" {
		return nil, status.Errorf(codes.NotFound, "no metric %q", request.MetricName)
	}
	return f.values, nil
}

func (f *fake) IsActive(context.Context, *pb.ScaledObjectRef) (*pb.IsActiveResponse, error) {
	return &pb.IsActiveResponse{Result: f.active}, f.activity
}

func (f *fake) StreamIsActive(_ *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.IsActiveResponse]) error {
	for _, active := range f.pushed {
		if err := stream.Send(&pb.IsActiveResponse{Result: active}); err != nil {
			return err
		}
	}
	if f.pushEnd == nil {
		<-stream.Context().Done()
	}
	return f.pushEnd
}

func (f *fake) StreamMetricSpec(_ *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.GetMetricSpecResponse]) error {
	for _, specs := range f.streamed {
		if err := stream.Send(specs); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return nil
}

// violations plays KEDA against the scaler and gives what was found.
func violations(t *testing.T, scaler *fake) []violation {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterExternalScalerServer(server, scaler)
	checks := health.NewServer()
	checks.SetServingStatus("", scaler.health)
	checks.SetServingStatus(scalerService, scaler.health)
	grpc_health_v1.RegisterHealthServer(server, checks)
	if scaler.reflected {
		reflection.Register(server)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	report := newReport()
	chosen := options{
		address: listener.Addr().String(), namespace: "shop", name: "chat", metadata: metadata{"threshold": "12.5"},
		polls: 2, interval: time.Millisecond, patience: 50 * time.Millisecond, atLeast: 1,
	}
	if err := play(chosen, report); err != nil {
		t.Fatal(err)
	}
	return report.Violations
}

func TestASoundScalerViolatesNothing(t *testing.T) {
	if found := violations(t, sound()); len(found) > 0 {
		t.Error(found)
	}
}

func TestEveryRuleIsSeenBroken(t *testing.T) {
	cases := map[string]func(*fake){
		"GetMetricSpec never fails": func(f *fake) { f.specsError = status.Error(codes.Unavailable, "no source") },
		"lower-case URL segment":    func(f *fake) { f.specs.MetricSpecs[0].MetricName = "Load/1" },
		"there is one metric spec":  func(f *fake) { f.specs.MetricSpecs = append(f.specs.MetricSpecs, f.specs.MetricSpecs[0]) },
		"target is positive":        func(f *fake) { f.specs.MetricSpecs[0].TargetSizeFloat = 0.0001 },
		"int target is the float":   func(f *fake) { f.specs.MetricSpecs[0].TargetSize = 12 },
		"old client gets a positive": func(f *fake) {
			f.specs.MetricSpecs[0].TargetSize = 0
		},
		"there is one metric value":      func(f *fake) { f.values = values(3, 4) },
		"finite and not negative":        func(f *fake) { f.values.MetricValues[0].MetricValueFloat = math.NaN() },
		"int value is the float":         func(f *fake) { f.values.MetricValues[0].MetricValue = 41 },
		"old client gets an int value":   func(f *fake) { f.values.MetricValues[0].MetricValue = 0 },
		"carries the name":               func(f *fake) { f.values.MetricValues[0].MetricName = "other" },
		"at least what was demanded":     func(f *fake) { f.values = values(0.5) },
		"above the activation threshold": func(f *fake) { f.active = false },
		"a value is known in time":       func(f *fake) { f.activity = status.Error(codes.Unavailable, "no source") },
		"an error says what is wrong":    func(f *fake) { f.activity = status.Error(codes.Unimplemented, "") },
		"say the same": func(f *fake) {
			other := &pb.MetricSpec{MetricName: "load", TargetSize: 99, TargetSizeFloat: 99}
			f.streamed = []*pb.GetMetricSpecResponse{{MetricSpecs: []*pb.MetricSpec{other}}}
		},
		"sent once":                     func(f *fake) { f.streamed = append(f.streamed, f.specs) },
		"StreamIsActive stays open":     func(f *fake) { f.pushEnd = status.Error(codes.Internal, "gone") },
		"activity is sent when it":      func(f *fake) { f.pushed = []bool{true, true} },
		"health service says SERVING":   func(f *fake) { f.health = grpc_health_v1.HealthCheckResponse_NOT_SERVING },
		"reflection lists the service":  func(f *fake) { f.reflected = false },
		"there is one metric value: an": func(f *fake) { f.values = values() },
	}
	for rule, spoil := range cases {
		t.Run(rule, func(t *testing.T) {
			scaler := sound()
			spoil(scaler)
			found := violations(t, scaler)
			for _, one := range found {
				if strings.Contains(one.Rule, rule) {
					return
				}
			}
			t.Errorf("not among %v", found)
		})
	}
}

func TestNumbersAreWrittenAsKEDAWritesThem(t *testing.T) {
	for value, text := range map[float64]string{
		0: "0.000", 0.0004: "0.000", 12.5: "12.500", 1e12: "1000000000000.000", -1: "0", math.Inf(1): "0",
	} {
		if quantity(value) != text {
			t.Errorf("%v: %s, not %s", value, quantity(value), text)
		}
	}
	if quantity(math.NaN()) != "0" {
		t.Error(quantity(math.NaN()))
	}
}
