// Command keda-client plays KEDA against an external scaler, with KEDA's own generated client and grpc-go: the operator's
// poll loop, the HPA's questions beside it, the two push streams, and the checks an operator of the cluster would make.
//
// It prints a report as JSON on stdout and, for every rule that was violated, one line on stderr; the exit code is 1
// where there is any.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// KEDA spreads calls over all addresses that the scaler's name resolves to.
const serviceConfig = `{"loadBalancingConfig": [{"round_robin": {}}]}`

type options struct {
	address   string
	namespace string
	name      string
	metadata  metadata
	polls     int
	interval  time.Duration
	patience  time.Duration
	atLeast   float64
	pid       int
	tls       tlsFiles
}

// metadata collects `-metadata key=value` flags.
type metadata map[string]string

func (m metadata) String() string { return fmt.Sprint(map[string]string(m)) }

func (m metadata) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return fmt.Errorf("write key=value, not %q", text)
	}
	m[key] = value
	return nil
}

func main() {
	chosen := options{metadata: metadata{}}
	flag.StringVar(&chosen.address, "address", "127.0.0.1:6000", "host:port of the scaler")
	flag.StringVar(&chosen.namespace, "namespace", "default", "namespace of the ScaledObject")
	flag.StringVar(&chosen.name, "name", "chat-backend", "name of the ScaledObject")
	flag.Var(chosen.metadata, "metadata", "one trigger metadatum as key=value; repeat it for more")
	flag.IntVar(&chosen.polls, "polls", 5, "how many answered polls to make")
	flag.DurationVar(&chosen.interval, "interval", 200*time.Millisecond, "pause between two polls")
	flag.DurationVar(&chosen.patience, "patience", 60*time.Second, "how long the first value may take to be known")
	flag.Float64Var(&chosen.atLeast, "at-least", 0, "every value must be at least this")
	flag.IntVar(&chosen.pid, "pid", 0, "process of the scaler: it is sent SIGTERM at the end, and the streams must end cleanly")
	flag.StringVar(&chosen.tls.authority, "ca", "", "file with caCert of the TriggerAuthentication; TLS is spoken where it is set")
	flag.StringVar(&chosen.tls.certificate, "cert", "", "file with its tlsClientCert")
	flag.StringVar(&chosen.tls.key, "key", "", "file with its tlsClientKey")
	flag.Parse()
	// KEDA sends the metadata whole, the keys meant for itself among them.
	chosen.metadata["scalerAddress"] = chosen.address

	report := newReport()
	if err := play(chosen, report); err != nil {
		report.violated("the scaler can be reached", err.Error())
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(report); err != nil {
		fmt.Fprintln(os.Stderr, "the report cannot be written:", err)
		os.Exit(2)
	}
	for _, violation := range report.Violations {
		fmt.Fprintf(os.Stderr, "violated: %s: %s\n", violation.Rule, violation.Detail)
	}
	if len(report.Violations) > 0 {
		os.Exit(1)
	}
}

// play does all that KEDA does to one trigger, from the creation of its ScaledObject to the scaler's shutdown.
func play(chosen options, report *report) error {
	credentials, err := chosen.tls.credentials()
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(chosen.address,
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithTransportCredentials(credentials))
	if err != nil {
		return err
	}
	defer connection.Close()

	ctx, cancel := context.WithTimeout(context.Background(), chosen.patience+60*time.Second)
	defer cancel()
	trigger := newTrigger(connection, chosen, report)

	streams := openStreams(ctx, trigger)
	if !trigger.pollUntilKnown(ctx, chosen.patience, chosen.interval) {
		return nil
	}
	hpaDone := make(chan struct{})
	go func() {
		defer close(hpaDone)
		trigger.askAsHPA(ctx, chosen.polls, chosen.interval)
	}()
	trigger.poll(ctx, chosen.polls, chosen.interval)
	<-hpaDone

	askAsOldClient(ctx, connection, trigger)
	askHealth(ctx, connection, report)
	askReflection(ctx, connection, report)
	streams.check(trigger)
	if chosen.pid != 0 {
		streams.checkShutdown(ctx, chosen.pid, report)
	}
	return nil
}

// reference is what identifies the trigger on the wire.
func (o options) reference() *pb.ScaledObjectRef {
	return &pb.ScaledObjectRef{Name: o.name, Namespace: o.namespace, ScalerMetadata: o.metadata}
}
