package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// The longest wait for what must happen at once or on shutdown: it bounds the run and judges no speed.
const longest = 20 * time.Second

// streams are the two that KEDA holds open per external-push trigger.
type streams struct {
	specs  *stream[pb.GetMetricSpecResponse]
	active *stream[pb.IsActiveResponse]
}

// stream remembers the messages of one server stream, and how it ended.
type stream[T any] struct {
	name     string
	lock     sync.Mutex
	messages []*T
	first    chan struct{}
	ended    chan struct{}
	end      error
}

func openStreams(ctx context.Context, trigger *trigger) *streams {
	trigger.report.called("StreamMetricSpec")
	specs, specsError := trigger.client.StreamMetricSpec(ctx, trigger.reference)
	trigger.report.called("StreamIsActive")
	active, activeError := trigger.client.StreamIsActive(ctx, trigger.reference)
	return &streams{
		specs:  follow("StreamMetricSpec", specs, specsError),
		active: follow("StreamIsActive", active, activeError),
	}
}

func follow[T any](name string, source grpc.ServerStreamingClient[T], failure error) *stream[T] {
	followed := &stream[T]{name: name, first: make(chan struct{}), ended: make(chan struct{})}
	if failure != nil {
		followed.end = failure
		close(followed.ended)
		return followed
	}
	go func() {
		defer close(followed.ended)
		for {
			message, err := source.Recv()
			if err != nil {
				followed.end = err
				return
			}
			followed.lock.Lock()
			followed.messages = append(followed.messages, message)
			if len(followed.messages) == 1 {
				close(followed.first)
			}
			followed.lock.Unlock()
		}
	}()
	return followed
}

func (s *stream[T]) received() []*T {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]*T(nil), s.messages...)
}

// check looks at what the streams said while the trigger was polled.
func (s *streams) check(trigger *trigger) {
	report := trigger.report
	select {
	case <-s.specs.first:
		for _, message := range s.specs.received() {
			specs := trigger.hpaSpecs(message)
			report.check("StreamMetricSpec and GetMetricSpec say the same",
				len(specs) == 1 && specs[0] == metricSpec{name: report.Metric, target: report.Target},
				"%v, not %s at %s", specs, report.Metric, report.Target)
		}
		report.check("an unchanged spec is sent once: KEDA reconciles for each message",
			len(s.specs.received()) == 1, "%d messages", len(s.specs.received()))
	case <-s.specs.ended:
		report.violated("StreamMetricSpec stays open", s.specs.end.Error())
	case <-time.After(longest):
		report.violated("StreamMetricSpec sends the specs as soon as it is open", "nothing came")
	}

	select {
	case <-s.active.ended:
		report.violated("StreamIsActive stays open", s.active.end.Error())
	default:
		trues := 0
		for _, message := range s.active.received() {
			if message.Result {
				trues++
			}
		}
		report.check("activity is sent when it changes: every repeated true postpones the scale-down to zero",
			trues <= 1, "true was sent %d times", trues)
	}
}

// checkShutdown ends the scaler as Kubernetes does. Only a clean end resets KEDA's backoff to two seconds.
func (s *streams) checkShutdown(ctx context.Context, pid int, report *report) {
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		report.violated("the scaler takes SIGTERM", err.Error())
		return
	}
	ends := []struct {
		name  string
		ended <-chan struct{}
		end   *error
	}{
		{s.specs.name, s.specs.ended, &s.specs.end},
		{s.active.name, s.active.ended, &s.active.end},
	}
	deadline, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for _, stream := range ends {
		select {
		case <-stream.ended:
			report.check("a stream ends OK on shutdown", errors.Is(*stream.end, io.EOF), "%s: %v", stream.name, *stream.end)
		case <-deadline.Done():
			report.violated("a stream ends OK on shutdown", stream.name+" is still open")
		}
	}
}
