//! The same lane over `https`.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server with a certificate of its own for `name`, and the trust that believes it.
async fn tls_server(name: &str) -> (u16, Trust) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    (port, Trust::Roots(Arc::new(roots)))
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_reached() {
    let (port, trust) = tls_server("crm.internal").await;
    let lane = Client::new(Told::new(&[&["127.0.0.1"]]), trust).lane("crm", &loopback());
    assert_eq!(answer(&lane, &format!("https://crm.internal:{port}/")).await, "ok");
}

#[tokio::test]
async fn a_server_that_proves_another_name_or_none_gets_nothing() {
    let (port, trust) = tls_server("other.internal").await;
    let lane = Client::new(Told::new(&[&["127.0.0.1"]]), trust).lane("crm", &loopback());
    assert!(matches!(cause(&lane, &format!("https://crm.internal:{port}/")).await, NotSent::Tls { .. }));

    let (port, _) = tls_server("crm.internal").await;
    let stranger = Trust::Roots(Arc::new(RootCertStore::empty()));
    let lane = Client::new(Told::new(&[&["127.0.0.1"]]), stranger).lane("crm", &loopback());
    assert!(matches!(cause(&lane, &format!("https://crm.internal:{port}/")).await, NotSent::Tls { .. }));
}

#[tokio::test]
async fn a_plain_server_behind_an_https_url_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let roots = Trust::Roots(Arc::new(RootCertStore::empty()));
    let lane = Client::new(Told::new(&[&["127.0.0.1"]]), roots).lane("crm", &loopback());
    assert!(matches!(cause(&lane, &format!("https://crm.internal:{port}/")).await, NotSent::Tls { .. }));
}

#[tokio::test]
async fn the_zone_counts_under_tls_as_well() {
    let (port, trust) = tls_server("crm.internal").await;
    let lane = Client::new(Told::new(&[&["127.0.0.1"]]), trust).lane("crm", &Reach::internet());
    assert!(matches!(cause(&lane, &format!("https://crm.internal:{port}/")).await, NotSent::OutOfReach(_)));
}
