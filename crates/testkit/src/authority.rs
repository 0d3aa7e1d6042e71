//! An authority that gives out certificates, made anew for each test.
#![expect(clippy::expect_used, reason = "a test that has no certificates ends there")]

use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa, KeyIdMethod,
    KeyPair, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// It signs for whoever asks.
pub struct Authority {
    own: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
pub struct Issued {
    /// The certificate, in PEM.
    pub certificate: String,
    /// Its key, in PEM.
    pub key: String,
    /// The certificate, in DER.
    pub der: Vec<u8>,
    serial: u64,
}

/// The number of the certificate that is given out next.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// When a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Good {
    /// For long.
    Now,
    /// It was.
    Before,
    /// It will be.
    Later,
}

impl Authority {
    /// Another authority of the same name as all the others.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "An authority for tests");
        let key = KeyPair::generate().expect("a key");
        Self { own: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.own.pem()
    }

    /// A certificate for these names: SPIFFE IDs, addresses and names of hosts.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_for(names, Good::Now)
    }

    /// The same for some time.
    pub fn issue_for(&self, names: &[&str], good: Good) -> Issued {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().map(|name| alternative(name)).collect();
        (params.not_before, params.not_after) = match good {
            Good::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Good::Before => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Good::Later => (date_time_ymd(2119, 1, 1), date_time_ymd(2120, 1, 1)),
        };
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.own).expect("a certificate");
        Issued { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec(), serial }
    }

    /// The list of these certificates as taken back, in PEM, good at some time.
    pub fn revokes(&self, taken_back: &[&Issued], good: Good) -> String {
        let revoked = |issued: &&Issued| RevokedCertParams {
            serial_number: SerialNumber::from(issued.serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let next = match good {
            Good::Now | Good::Later => date_time_ymd(2120, 1, 1),
            Good::Before => date_time_ymd(2021, 1, 1),
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: next,
            crl_number: SerialNumber::from(NEXT.fetch_add(1, Ordering::Relaxed)),
            issuing_distribution_point: None,
            revoked_certs: taken_back.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.own).expect("a list").pem().expect("its text")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn alternative(name: &str) -> SanType {
    if name.contains("://") {
        return SanType::URI(name.try_into().expect("a URI"));
    }
    match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().expect("a name")),
    }
}
