use axum::http::Request;

use super::*;

fn admitted(names: &Names, uri: &str, headers: &[(&str, &str)]) -> Result<(), Code> {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    names.admit(&parts).map_err(|fault| fault.code())
}

fn loopback() -> Names {
    Names::new("127.0.0.1:9443".parse().unwrap(), &[], &["https://console.example".to_owned()])
}

#[test]
fn the_listeners_own_names_are_let_in() {
    let names = loopback();
    for host in ["127.0.0.1:9443", "localhost:9443", "LOCALHOST:9443"] {
        assert_eq!(admitted(&names, "/", &[("host", host)]), Ok(()));
    }
}

#[test]
fn another_host_is_refused_and_so_is_none_or_two() {
    let names = loopback();
    for headers in [
        vec![],
        vec![("host", "evil.example")],
        vec![("host", "evil.example:9443")],
        vec![("host", "127.0.0.1")],
        vec![("host", "localhost:9443"), ("host", "evil.example")],
    ] {
        assert_eq!(admitted(&names, "/", &headers), Err(Code::HostUnknown), "{headers:?}");
    }
}

#[test]
fn a_request_line_that_names_another_host_is_refused() {
    let host = [("host", "localhost:9443")];
    assert_eq!(admitted(&loopback(), "http://evil.example/", &host), Err(Code::HostUnknown));
    assert_eq!(admitted(&loopback(), "http://localhost:9443/", &host), Ok(()));
}

#[test]
fn an_origin_is_the_listeners_own_or_a_configured_one() {
    let names = loopback();
    let from = |origin| admitted(&names, "/", &[("host", "localhost:9443"), ("origin", origin)]);
    assert_eq!(from("http://localhost:9443"), Ok(()));
    assert_eq!(from("https://console.example"), Ok(()));
    for origin in ["https://evil.example", "null", "http://localhost:80", "http://localhost:9443.evil.example"] {
        assert_eq!(from(origin), Err(Code::OriginRefused), "{origin}");
    }
}

#[test]
fn a_listener_on_every_address_has_only_configured_names_and_localhost() {
    let names = Names::new("0.0.0.0:9443".parse().unwrap(), &["gate.example".to_owned()], &[]);
    assert_eq!(admitted(&names, "/", &[("host", "gate.example")]), Ok(()));
    assert_eq!(admitted(&names, "/", &[("host", "localhost:9443")]), Ok(()));
    assert_eq!(admitted(&names, "/", &[("host", "0.0.0.0:9443")]), Err(Code::HostUnknown));
}
