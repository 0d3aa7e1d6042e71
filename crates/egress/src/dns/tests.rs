use tokio::net::TcpListener;

use super::message::{question, texts};
use super::*;

const KEY: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// An answer to a question: its header's flags and code, and records after it.
fn answer(question: &[u8], flags: u8, code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let number = u16::try_from(records.len()).unwrap().to_be_bytes();
    let head = [&question[..2], &[0x80 | flags, 0x80 | code, 0, 1], &number, &[0; 4], &question[12..end]].concat();
    [head, records.concat()].concat()
}

/// A record at the name that was asked for.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&[0xc0, 12][..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 60], &length, data].concat()
}

fn text(text: &str) -> Vec<u8> {
    let parts = text.as_bytes().chunks(200);
    record(16, &parts.flat_map(|part| [&[u8::try_from(part.len()).unwrap()], part].concat()).collect::<Vec<_>>())
}

/// A name server of a test's, on loopback: each question is answered as it says, over UDP and over TCP.
async fn a_test_s_name_server(udp: fn(&[u8]) -> Vec<Vec<u8>>, tcp: fn(&[u8]) -> Vec<u8>) -> NameServers {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            for datagram in udp(&buffer[..length]) {
                socket.send_to(&datagram, from).await.unwrap();
            }
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut question).await.unwrap();
            let answer = tcp(&question);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).await.unwrap();
        }
    });
    NameServers::new(vec![address])
}

#[tokio::test]
async fn texts_are_asked_for_and_come_whole() {
    let long = "x".repeat(700);
    let servers = a_test_s_name_server(
        |question| {
            vec![answer(question, 0, 0, &[text("spf"), text(KEY), record(1, &[127, 0, 0, 1]), text(&"x".repeat(700))])]
        },
        |_| Vec::new(),
    );
    assert_eq!(servers.await.texts("example.com").await.unwrap(), ["spf".to_owned(), KEY.to_owned(), long]);
    let none = a_test_s_name_server(|question| vec![answer(question, 0, 3, &[])], |_| Vec::new()).await;
    assert!(none.texts("example.com.").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_over_a_connection() {
    let servers = a_test_s_name_server(
        |question| vec![answer(question, 0x02, 0, &[])],
        |question| answer(question, 0, 0, &[text(KEY)]),
    );
    assert_eq!(servers.await.texts("example.com").await.unwrap(), [KEY]);
    let servers = a_test_s_name_server(|question| vec![answer(question, 0x02, 0, &[])], |_| b"noise".to_vec()).await;
    assert!(servers.texts("example.com").await.unwrap_err().to_string().contains("something else"));
}

#[tokio::test]
async fn what_answers_another_question_is_not_heard() {
    let servers = a_test_s_name_server(
        |question| {
            let forged = |place: usize| {
                let mut forged = answer(question, 0, 0, &[text("forged")]);
                forged[place] ^= 1;
                forged
            };
            // Another id, another name, another type; a question instead of an answer, and noise.
            let other_type = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 2;
            vec![
                forged(0),
                forged(1),
                forged(13),
                forged(other_type),
                question.to_vec(),
                vec![0; 3],
                answer(question, 0, 0, &[text(KEY)]),
            ]
        },
        |_| Vec::new(),
    );
    assert_eq!(servers.await.texts("example.com").await.unwrap(), [KEY]);
}

#[tokio::test]
async fn a_server_that_cannot_say_is_told_and_the_next_is_asked() {
    let failing = a_test_s_name_server(|question| vec![answer(question, 0, 2, &[])], |_| Vec::new()).await;
    assert!(failing.texts("example.com").await.unwrap_err().to_string().contains("code 2"));
    let good = a_test_s_name_server(|question| vec![answer(question, 0, 0, &[text(KEY)])], |_| Vec::new()).await;
    let both = NameServers::new([failing.servers, good.servers].concat());
    assert_eq!(both.texts("example.com").await.unwrap(), [KEY]);
    for name in ["", "a..b", &"a".repeat(64), &"a.".repeat(140)] {
        assert!(both.texts(name).await.unwrap_err().to_string().contains("is no name"), "{name}");
    }
}

#[test]
fn names_are_followed_where_an_alias_leads_and_no_further() {
    let question = question(7, "example.com").unwrap();
    let alias = |to: &[u8]| record(5, to);
    let other = [b"\x05other\0".as_slice(), &16_u16.to_be_bytes(), &[0, 1, 0, 0, 0, 60, 0, 2, 1, b'x']].concat();
    let led = answer(&question, 0, 0, &[alias(b"\x05OTHER\0"), other.clone(), text("left behind")]);
    assert_eq!(texts(&question, &led).unwrap(), ["x"]);
    assert!(texts(&question, &answer(&question, 0, 0, &[other])).unwrap().is_empty(), "nobody asked for that name");
    // A name that leads to itself, to where nothing is, and a text that is longer than its record.
    let own = u8::try_from(question.len() - 11 + 12).unwrap();
    for bad in [alias(&[0xc0, own]), alias(&[0xff, 0xff]), alias(&[0x80]), record(16, &[9, b'x'])] {
        assert_eq!(texts(&question, &answer(&question, 0, 0, &[bad])), Err(Unread::Other));
    }
    let whole = answer(&question, 0, 0, &[text(KEY)]);
    for length in 0..whole.len() {
        assert_eq!(texts(&question, &whole[..length]), Err(Unread::Other));
    }
}

#[test]
fn the_system_s_servers_are_read() {
    let found = of_system("# none\nsearch example.com\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver x\n");
    assert_eq!(found, ["192.0.2.1:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()]);
    assert_eq!(of_system(""), ["127.0.0.1:53".parse().unwrap()]);
}
