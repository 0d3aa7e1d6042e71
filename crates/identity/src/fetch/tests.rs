use std::sync::Arc;

use egress::{Client, Reach, SystemResolver, Trust};
use http::{HeaderMap, StatusCode};
use model::{Secret, limits, with_causes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::fake::FakeFetch;
use super::{Fetch, FetchError, Outbound};

fn outbound(networks: &[&str]) -> Outbound {
    let reach = Reach::new(networks.iter().map(|network| network.parse().unwrap()).collect());
    Outbound::new(&Client::new(Arc::new(SystemResolver), Trust::Platform), "provider", &reach)
}

/// A server on loopback that answers everything with `answer`, and gives back what it was sent first.
async fn server(answer: Vec<u8>) -> (Url, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/token", listener.local_addr().unwrap())).unwrap();
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        let mut count = 0;
        while !String::from_utf8_lossy(&buffer[..count]).contains("\r\n\r\n") {
            count += stream.read(&mut buffer[count..]).await.unwrap();
        }
        let _ = stream.write_all(&answer).await;
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    });
    (url, seen)
}

#[tokio::test]
async fn plain_http_goes_to_loopback_where_the_reach_names_it_and_nowhere_else() {
    let nowhere = outbound(&["0.0.0.0/0", "::/0"]);
    let near = outbound(&["127.0.0.0/8", "10.0.0.0/8"]);
    for (fetch, url) in [
        (&nowhere, "http://127.0.0.1:1/"),
        (&nowhere, "http://localhost:1/"),
        (&nowhere, "http://login.example/"),
        (&near, "http://10.0.0.1:1/"),
        (&near, "http://login.example/"),
        (&near, "http://127.0.0.1.nip.example/"),
        (&near, "ftp://127.0.0.1/"),
    ] {
        let error = fetch.get(&Url::parse(url).unwrap(), "application/json").await.unwrap_err();
        assert!(matches!(error, FetchError::NotSecure { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_url_with_a_password_or_without_a_host_is_not_asked() {
    for url in
        ["https://a:b@login.example/", "https://a@login.example/", "https://login.example/#x", "data:text/plain,x"]
    {
        let error = outbound(&["0.0.0.0/0"]).get(&Url::parse(url).unwrap(), "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::UrlUnusable), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_form_is_posted_once_with_its_authorization_and_a_redirect_is_not_followed() {
    let answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\n{}";
    let (url, seen) = server(answer.to_vec()).await;
    let authorization = Secret::new("Basic abc".to_owned());
    let form = [("grant_type", "authorization_code"), ("code", "a b&c")];
    let fetch = outbound(&["127.0.0.0/8"]);
    let answer = fetch.post_form(&url, &form, Some(&authorization), &HeaderMap::new()).await.unwrap();
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(&answer.body[..], b"{}");
    let seen = seen.await.unwrap().to_ascii_lowercase();
    assert!(seen.starts_with("post /token http/1.1\r\n"), "{seen}");
    assert!(seen.contains("authorization: basic abc\r\n"), "{seen}");
    assert!(seen.contains("content-type: application/x-www-form-urlencoded\r\n"), "{seen}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_breaks_off_is_no_answer() {
    let mut long = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    long.resize(long.len() + limits::FETCHED_BYTES_MAX + 1, b' ');
    for answer in [long, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}".to_vec()] {
        let (url, _) = server(answer).await;
        let error = outbound(&["127.0.0.0/8"]).get(&url, "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::Answer { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_address_out_of_reach_is_not_asked() {
    let (url, _) = server(Vec::new()).await;
    let secure = Url::parse(&url.as_str().replace("http:", "https:")).unwrap();
    let error = outbound(&["10.0.0.0/8"]).get(&secure, "*/*").await.unwrap_err();
    assert!(with_causes(&error).contains("the zone does not allow"), "{}", with_causes(&error));
    let metadata = Url::parse("https://169.254.169.254/latest/meta-data").unwrap();
    let error = outbound(&["0.0.0.0/0", "::/0", "169.254.0.0/16"]).get(&metadata, "*/*").await.unwrap_err();
    assert!(with_causes(&error).contains("the zone does not allow"), "{}", with_causes(&error));
}

#[tokio::test]
async fn no_error_tells_the_query_or_the_authorization() {
    let url = Url::parse("http://login.example/token?code=zanzibar").unwrap();
    let error = outbound(&[]).get(&url, "*/*").await.unwrap_err();
    assert!(!format!("{error:?}{}", with_causes(&error)).contains("zanzibar"));
    let unfit = Secret::new("Bearer zanzi\nbar".to_owned());
    let error = outbound(&[]).get_as(&url, "*/*", &unfit).await.unwrap_err();
    assert!(!format!("{error:?}{}", with_causes(&error)).contains("zanzi\n"));
    let fake = FakeFetch::default();
    fake.tell(url.as_str(), "{}");
    fake.get_as(&url, "*/*", &Secret::new("Bearer zanzibar".to_owned())).await.unwrap();
    let asked = fake.asked();
    let seen = &asked[0];
    assert_eq!((seen.method.as_str(), seen.body.as_str()), ("GET", ""));
    assert!(!format!("{:?}", seen.headers).contains("zanzibar"), "{seen:?}");
}
