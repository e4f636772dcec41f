//! Certificates as Kubernetes mounts them: files that are links, all swapped at once.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A certificate authority of one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A mounted Secret with a certificate for `name`.
    pub(crate) fn folder(&self, name: &str) -> Certificates {
        let folder = tempfile::tempdir().expect("there is room for a temporary directory");
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(Path::new("..data").join(file), folder.path().join(file)).expect("a link");
        }
        let certificates = Certificates { folder };
        self.renew(&certificates, name);
        certificates
    }

    /// Swaps the content of a mounted Secret for a new certificate for `name`.
    pub(crate) fn renew(&self, certificates: &Certificates, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate").pem();
        certificates.swap(&certificate, &key.serialize_pem(), &self.pem);
    }
}

/// A mounted Secret.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Puts other contents in the place of all files at once.
    pub(crate) fn swap(&self, certificate: &str, key: &str, authority: &str) {
        let version = tempfile::Builder::new().prefix("..").tempdir_in(self.folder.path()).expect("a folder").keep();
        for (name, text) in [("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority)] {
            std::fs::write(version.join(name), text).expect("a file");
        }
        let link = self.folder.path().join("..data_tmp");
        symlink(version.file_name().expect("it has a name"), &link).expect("a link");
        std::fs::rename(link, self.folder.path().join("..data")).expect("a rename");
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// What has `prescale serve` use them.
    pub(crate) fn flags(&self) -> Vec<String> {
        [
            ("--tls-certificate-file", self.certificate()),
            ("--tls-key-file", self.key()),
            ("--tls-client-authority-file", self.authority()),
        ]
        .map(|(flag, path)| format!("{flag}={}", path.display()))
        .into()
    }
}
