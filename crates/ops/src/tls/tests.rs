use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;

use super::*;

/// A certificate authority of one test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// Writes a certificate for `name`, its key and the authority's own into `folder`.
    fn write(&self, folder: &Path, name: &str) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        let files = files(folder);
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        std::fs::write(files.authority.as_ref().unwrap(), &self.pem).unwrap();
        files
    }
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        authority: Some(folder.join("ca.crt")),
    }
}

fn load(files: TlsFiles) -> Arc<Tls> {
    Tls::load(files, &mut Registry::default()).unwrap()
}

/// Serves one byte to everyone who shakes hands.
async fn serve(tls: Arc<Tls>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections = crate::incoming(listener, Some(tls));
    tokio::spawn(async move {
        while let Some(Ok(mut connection)) = connections.next().await {
            connection.write_all(b"!").await.unwrap();
            connection.shutdown().await.unwrap();
        }
    });
    address
}

/// Whether `client` gets the byte from the server at `address` under `name`.
async fn is_served(client: &Tls, address: SocketAddr, name: &str) -> bool {
    let Ok(mut stream) = client.connect(address, name).await else { return false };
    // the refusal of a client's certificate arrives with the first bytes
    matches!(stream.read_u8().await, Ok(b'!'))
}

#[tokio::test]
async fn each_side_believes_only_certificates_of_its_authority_for_the_right_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let server = load(authority.write(folders[0].path(), "scaler.svc"));
    let address = serve(server).await;
    let client = load(authority.write(folders[1].path(), "keda"));
    assert!(is_served(&client, address, "scaler.svc").await);
    assert!(!is_served(&client, address, "scaler").await, "the certificate is for another name");

    let stranger = other.write(folders[2].path(), "keda");
    std::fs::write(stranger.authority.as_ref().unwrap(), &authority.pem).unwrap();
    assert!(!is_served(&load(stranger), address, "scaler.svc").await, "who signed it is unknown here");
}

#[tokio::test]
async fn http_2_is_agreed_on() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = load(authority.write(folder.path(), "scaler"));
    let address = serve(Arc::clone(&tls)).await;
    let stream = tls.connect(address, "scaler").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
}

#[tokio::test]
async fn a_silent_client_holds_up_nobody_else() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = load(authority.write(folder.path(), "scaler"));
    let address = serve(Arc::clone(&tls)).await;
    let _silent = TcpStream::connect(address).await.unwrap();
    assert!(is_served(&tls, address, "scaler").await);
}

#[tokio::test]
async fn new_files_are_in_force_for_the_next_connection() {
    let (authority, folders) = (Authority::new(), [(); 2].map(|()| tempfile::tempdir().unwrap()));
    let server = load(authority.write(folders[0].path(), "before"));
    let client = load(authority.write(folders[1].path(), "keda"));
    let address = serve(Arc::clone(&server)).await;
    authority.write(folders[0].path(), "after");
    assert!(is_served(&client, address, "before").await, "nobody has looked yet");
    server.look();
    assert!(is_served(&client, address, "after").await);
    assert!(!is_served(&client, address, "before").await);
}

#[tokio::test]
async fn files_that_cannot_be_used_leave_those_of_before_in_force() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let files = authority.write(folder.path(), "scaler");
    let tls = load(files.clone());
    let address = serve(Arc::clone(&tls)).await;
    let [certificate, key, ca] =
        [&files.certificate, &files.key, files.authority.as_ref().unwrap()].map(|path| std::fs::read(path).unwrap());
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let put_back = || {
        std::fs::write(&files.certificate, &certificate).unwrap();
        std::fs::write(&files.key, &key).unwrap();
        std::fs::write(files.authority.as_ref().unwrap(), &ca).unwrap();
    };
    let half = |text: &[u8]| text[..text.len() / 2].to_vec();
    for (path, text) in [
        (&files.certificate, half(&certificate)),
        (&files.certificate, Vec::new()),
        (&files.key, half(&key)),
        (&files.key, other_key.into_bytes()),
        (files.authority.as_ref().unwrap(), half(&ca)),
    ] {
        std::fs::write(path, text).unwrap();
        tls.look();
        assert!(is_served(&tls, address, "scaler").await, "{}", path.display());
        assert!(tls.refused.lock().unwrap().is_some(), "{}", path.display());
        put_back();
        tls.look();
        assert!(tls.refused.lock().unwrap().is_none(), "the files are as before");
    }
    std::fs::remove_file(&files.key).unwrap();
    tls.look();
    assert!(is_served(&tls, address, "scaler").await);
}

#[test]
fn what_is_wrong_at_the_start_is_told_without_the_key() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let refused = |files: TlsFiles| {
        let error = Tls::load(files, &mut Registry::default()).unwrap_err();
        format!("{error} {error:?}")
    };
    assert!(refused(files(folder.path())).contains("tls.crt cannot be read"));
    let files = authority.write(folder.path(), "scaler");
    std::fs::write(&files.key, "hush").unwrap();
    let told = refused(files);
    assert!(told.contains("tls.key must hold one whole private key") && !told.contains("hush"), "{told}");
}
