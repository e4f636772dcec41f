//! The roles in processes of their own.

use super::prescale::Prescale;

/// A forecaster at a port that is known before it starts.
pub(crate) async fn forecaster(port: u16, flags: &[&str]) -> Prescale {
    let address = format!("127.0.0.1:{port}");
    let own = ["--role", "forecaster", "--grpc-address", &address];
    Prescale::serve_role(&[own.as_slice(), flags].concat()).await
}

/// A scaler of the forecasters at `ports` of this machine.
pub(crate) async fn scaler(scheme: &str, ports: &[u16], flags: &[&str]) -> Prescale {
    let urls: Vec<_> = ports.iter().map(|port| format!("{scheme}://localhost:{port}")).collect();
    let (urls, grpc) = (urls.join(","), "127.0.0.1:0");
    Prescale::serve_role(
        &[["--role", "scaler", "--forecaster", &urls, "--grpc-address", grpc].as_slice(), flags].concat(),
    )
    .await
}
