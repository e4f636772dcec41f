package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// askAsOldClient asks as KEDA up to 2.16 does, which knows only the int64 fields.
func askAsOldClient(ctx context.Context, connection *grpc.ClientConn, trigger *trigger) {
	report := trigger.report
	contract, err := oldContract()
	if err != nil {
		report.violated("the contract of KEDA 2.16 can be made", err.Error())
		return
	}
	target, err := oldNumber(ctx, connection, contract, "GetMetricSpec", trigger.reference, "metricSpecs", "targetSize")
	report.check("an old client gets a positive int target", err == nil && target > 0, "%d, %v", target, err)

	request := &pb.GetMetricsRequest{ScaledObjectRef: trigger.reference, MetricName: report.Metric[len("s1-"):]}
	value, err := oldNumber(ctx, connection, contract, "GetMetrics", request, "metricValues", "metricValue")
	report.check("an old client gets an int value that is large enough",
		err == nil && float64(value) >= trigger.atLeast, "%d, %v", value, err)
}

// oldContract is KEDA's contract without the fields that came with 2.17.
func oldContract() (protoreflect.FileDescriptor, error) {
	file := protodesc.ToFileDescriptorProto(pb.File_externalscaler_proto)
	for _, message := range file.MessageType {
		kept := make([]*descriptorpb.FieldDescriptorProto, 0, len(message.Field))
		for _, field := range message.Field {
			if field.GetName() != "targetSizeFloat" && field.GetName() != "metricValueFloat" {
				kept = append(kept, field)
			}
		}
		message.Field = kept
	}
	return protodesc.NewFile(file, nil)
}

// oldNumber calls a method and reads one int64 of the only element of its answer's list.
func oldNumber(ctx context.Context, connection *grpc.ClientConn, contract protoreflect.FileDescriptor,
	method protoreflect.Name, request proto.Message, list, field protoreflect.Name,
) (int64, error) {
	service := contract.Services().ByName("ExternalScaler")
	output := service.Methods().ByName(method).Output()
	response := dynamicpb.NewMessage(output)
	if err := connection.Invoke(ctx, fmt.Sprintf("/%s/%s", service.FullName(), method), request, response); err != nil {
		return 0, err
	}
	elements := response.Get(output.Fields().ByName(list)).List()
	if elements.Len() != 1 {
		return 0, fmt.Errorf("%s holds %d elements", list, elements.Len())
	}
	element := elements.Get(0).Message()
	return element.Get(element.Descriptor().Fields().ByName(field)).Int(), nil
}
