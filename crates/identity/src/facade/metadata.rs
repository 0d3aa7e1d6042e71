//! What the façade says of itself (RFC 8414).

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::{Facade, attestation};
use crate::keys::Algorithm;
use crate::resource_server::Certificates;
use crate::site;

pub(super) fn answer(facade: &Facade) -> Response<Bytes> {
    let issuer = facade.issuer();
    let at = |path: &str| format!("{issuer}/oauth/{path}");
    let algorithms = Algorithm::ALL.map(Algorithm::as_str);
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "revocation_endpoint": at("revoke"),
        "device_authorization_endpoint": at("device_authorization"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "authorization_grant_profiles_supported": ["urn:ietf:params:oauth:grant-profile:id-jag"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt", attestation::METHOD],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "client_attestation_signing_alg_values_supported": algorithms,
        "client_attestation_pop_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": ["none", "private_key_jwt", attestation::METHOD],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "dpop_signing_alg_values_supported": algorithms,
    });
    if let (Some(metadata), Certificates::Asked) = (metadata.as_object_mut(), facade.terms.certificates) {
        metadata.insert("tls_client_certificate_bound_access_tokens".to_owned(), true.into());
        for endpoint in ["token", "revocation"] {
            let methods = json!(["none", "private_key_jwt", attestation::METHOD, "tls_client_auth"]);
            metadata.insert(format!("{endpoint}_endpoint_auth_methods_supported"), methods);
        }
    }
    if let (Some(metadata), Some(_)) = (metadata.as_object_mut(), &facade.terms.registration) {
        metadata.insert("registration_endpoint".to_owned(), at("register").into());
    }
    site::published(&metadata)
}
