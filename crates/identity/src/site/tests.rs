use super::*;

fn visit(headers: &[(&'static str, &'static str)], body: &'static str) -> Visit {
    let pairs = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    Visit {
        method: Method::POST,
        path: "/".to_owned(),
        query: None,
        headers: pairs.collect(),
        body: Bytes::from_static(body.as_bytes()),
        source: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn a_parameter_that_stands_twice_is_refused() {
    assert_eq!(Parameters::of_query(Some("a=1&b=2&a=1")).err(), Some(ParameterError::Repeated));
    assert_eq!(Parameters::of_form(&visit(&[FORM], "a=1&%61=2")).err(), Some(ParameterError::Repeated));
}

#[test]
fn a_parameter_without_a_value_is_not_there() {
    let read = Parameters::of_query(Some("a=&b=%20x")).unwrap();
    assert_eq!((read.get("a"), read.get("b")), (None, Some(" x")));
}

#[test]
fn a_body_of_another_type_is_no_form() {
    assert!(Parameters::of_form(&visit(&[FORM], "a=1")).is_ok());
    let json = visit(&[("content-type", "application/json")], "{}");
    assert_eq!(Parameters::of_form(&json).err(), Some(ParameterError::NoForm));
    assert_eq!(Parameters::of_form(&visit(&[], "a=1")).err(), Some(ParameterError::NoForm));
}

#[test]
fn a_cookie_that_stands_twice_is_not_there() {
    let once = visit(&[("cookie", "x=1; __Host-a=good; y=2")], "");
    assert_eq!(once.cookie("__Host-a"), Some("good"));
    assert_eq!(visit(&[("cookie", "__Host-a=one; __Host-a=two")], "").cookie("__Host-a"), None);
}

#[test]
fn a_page_of_another_origin_is_told_from_ours() {
    let ours = "https://gate.example";
    let from = |headers: &[(&'static str, &'static str)]| visit(headers, "").is_from_elsewhere(ours);
    assert!(!from(&[]));
    assert!(!from(&[("origin", "https://gate.example"), ("sec-fetch-site", "same-origin")]));
    for evil in ["https://evil.example", "https://gate.example.evil.example", "null", "http://gate.example"] {
        assert!(visit(&[], "").headers.is_empty());
        let mut visit = visit(&[], "");
        visit.headers.insert(ORIGIN, HeaderValue::from_static(evil));
        assert!(visit.is_from_elsewhere(ours), "{evil}");
    }
    assert!(from(&[("sec-fetch-site", "cross-site")]));
    assert!(from(&[("sec-fetch-site", "same-site")]));
}

#[test]
fn names_cannot_write_html_or_hide_letters() {
    let safe = escaped("<b onclick=\"x\">'&\u{202e}gpj.exe\n");
    assert_eq!(safe, "&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;\u{fffd}gpj.exe\u{fffd}");
}

#[test]
fn a_page_runs_no_script_and_is_in_no_frame() {
    let page = page(StatusCode::OK, String::new());
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script"));
    assert_eq!(page.headers()[X_FRAME_OPTIONS], "DENY");
    assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
}

#[test]
fn a_cookie_is_bound_to_this_host_and_hidden_from_scripts() {
    let response = with_cookie(json(StatusCode::OK, &serde_json::json!({})), "__Host-a", "v");
    assert_eq!(response.headers()[SET_COOKIE], "__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Lax");
}
