use std::sync::Arc;

use egress::{Client, Reach, SystemResolver, Trust};
use http::HeaderMap;

use super::{Route, RouteError, Way};

fn route(url: &str) -> Result<Route, RouteError> {
    let lane = Client::new(Arc::new(SystemResolver), Trust::Platform).lane("crm", &Reach::internet());
    Route::new("crm".parse().unwrap(), url.parse().unwrap(), lane)
}

#[test]
fn a_route_is_an_http_url_with_a_host_and_without_credentials() {
    assert!(route("https://crm.example/mcp").is_ok());
    assert!(route("http://127.0.0.1:8080/mcp?tenant=1").is_ok());
    for url in ["/mcp", "crm.example", "ftp://crm.example/", "file:///etc/passwd"] {
        if let Ok(uri) = url.parse::<http::Uri>() {
            let lane = Client::new(Arc::new(SystemResolver), Trust::Platform).lane("crm", &Reach::internet());
            let refused = Route::new("crm".parse().unwrap(), uri, lane).map(drop);
            assert_eq!(refused, Err(RouteError::NotHttp { server: "crm".parse().unwrap() }), "{url}");
        }
    }
    let refused = route("https://user:word@crm.example/mcp").unwrap_err();
    assert!(matches!(refused, RouteError::Credentials { .. }));
    assert!(!refused.to_string().contains("word"));
}

#[test]
fn the_host_is_the_servers_own_whatever_the_headers_say() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "elsewhere.example".parse().unwrap());
    let route = route("http://127.0.0.1:8080/mcp").unwrap();
    let Way::Http(address) = route.way() else { panic!() };
    let request = address.post(headers, bytes::Bytes::new());
    assert_eq!(request.headers().get_all("host").iter().collect::<Vec<_>>(), ["127.0.0.1:8080"]);
    assert_eq!(request.method(), "POST");
}
