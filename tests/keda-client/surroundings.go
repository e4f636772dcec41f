package main

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
)

const scalerService = "externalscaler.ExternalScaler"

// askHealth asks as a Kubernetes gRPC probe does, for the whole server and for the service.
func askHealth(ctx context.Context, connection *grpc.ClientConn, report *report) {
	client := grpc_health_v1.NewHealthClient(connection)
	for _, service := range []string{"", scalerService} {
		response, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		report.check("the health service says SERVING",
			err == nil && response.Status == grpc_health_v1.HealthCheckResponse_SERVING, "service %q: %v, %v", service, response, err)
	}
}

// askReflection asks as grpcurl does.
func askReflection(ctx context.Context, connection *grpc.ClientConn, report *report) {
	services, err := listServices(ctx, connection)
	report.check("reflection lists the service", err == nil && slices.Contains(services, scalerService), "%v, %v", services, err)
}

func listServices(ctx context.Context, connection *grpc.ClientConn) ([]string, error) {
	stream, err := grpc_reflection_v1.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	request := &grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{ListServices: "*"},
	}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	list := response.GetListServicesResponse()
	if list == nil {
		return nil, fmt.Errorf("no list of services, but %v", response)
	}
	names := make([]string, 0, len(list.Service))
	for _, service := range list.Service {
		names = append(names, service.Name)
	}
	return names, nil
}
