//! [`serve_empty`]: what gRPC itself costs: every call is decoded and answered with nothing.

use std::pin::Pin;

use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use wire::externalscaler::external_scaler_server::{ExternalScaler, ExternalScalerServer};
use wire::externalscaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, ScaledObjectRef,
};

/// Serves until the process ends.
///
/// # Errors
/// Where the server broke down.
pub async fn serve_empty(listener: TcpListener) -> anyhow::Result<()> {
    let service = ExternalScalerServer::new(Empty);
    Ok(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)).await?)
}

struct Empty;

type Nothing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalScaler for Empty {
    type StreamIsActiveStream = Nothing<IsActiveResponse>;
    type StreamMetricSpecStream = Nothing<GetMetricSpecResponse>;

    async fn is_active(&self, _: Request<ScaledObjectRef>) -> Result<Response<IsActiveResponse>, Status> {
        Ok(Response::new(IsActiveResponse::default()))
    }

    async fn get_metric_spec(&self, _: Request<ScaledObjectRef>) -> Result<Response<GetMetricSpecResponse>, Status> {
        Ok(Response::new(GetMetricSpecResponse::default()))
    }

    async fn get_metrics(&self, _: Request<GetMetricsRequest>) -> Result<Response<GetMetricsResponse>, Status> {
        Ok(Response::new(GetMetricsResponse::default()))
    }

    async fn stream_is_active(
        &self,
        _: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::pending())))
    }

    async fn stream_metric_spec(
        &self,
        _: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::pending())))
    }
}
