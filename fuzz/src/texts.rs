//! Texts: the strict JSON reader, changes in a text, ids, events, lines and URIs.

use std::collections::HashSet;

use bytes::Bytes;
use model::{canonical_json, is_canonical_uri, limits};
use serde_json::Value;
use wire::edit::Change;
use wire::json::{self, Bounds, Json};
use wire::{Id, edit, lines, sse};

use crate::{json_of, line_and_rest};

/// What the strict reader takes, `serde_json` reads as the same value.
pub(crate) fn json(bytes: &[u8]) {
    let text = json_of(bytes);
    let Ok(strict) = json::check(&text, &Bounds::MESSAGE) else { return };
    let theirs: Value = serde_json::from_slice(&text).expect("what the strict reader takes, every reader takes");
    assert!(same(strict.top(), &theirs));
    if let Value::Object(members) = &theirs {
        assert_eq!(strict.members().count(), members.len());
        for (outer, value) in members {
            let inside = value.as_object().map_or(0, serde_json::Map::len);
            assert_eq!(strict.members_of(outer).count(), inside);
        }
    }
}

/// Do both see the same value, down to the last bit of a float?
fn same(ours: Json<'_>, theirs: &Value) -> bool {
    match theirs {
        Value::Null => ours.is_null(),
        Value::Bool(flag) => ours.boolean() == Some(*flag),
        Value::String(text) => ours.string().as_deref() == Some(text),
        Value::Number(number) => match ours.integer() {
            Some(integer) => number.as_i64() == Some(integer),
            None => ours.text().parse().ok() == number.as_f64(),
        },
        Value::Array(elements) => {
            ours.elements().count() == elements.len()
                && ours.elements().zip(elements).all(|(ours, theirs)| same(ours, theirs))
        }
        Value::Object(members) => {
            ours.members().count() == members.len()
                && ours.members().all(|(key, ours)| members.get(key.as_ref()).is_some_and(|theirs| same(ours, theirs)))
        }
    }
}

/// A canonical form is the canonical form of itself, and means what was written.
pub(crate) fn canonical(bytes: &[u8]) {
    let text = json_of(bytes);
    if json::check(&text, &Bounds::MESSAGE).is_err() {
        return;
    }
    let value: Value = serde_json::from_slice(&text).unwrap();
    let Ok(canonical) = canonical_json(&value) else { return };
    let again: Value = serde_json::from_slice(&canonical).unwrap();
    assert_eq!(canonical_json(&again).unwrap(), canonical);
}

/// An edit changes what it names and nothing else. The input is a path with `.` between its keys, a line break, the new
/// value, a line break and the body.
pub(crate) fn edit(bytes: &[u8]) {
    let (path, rest) = line_and_rest(bytes);
    let (new, body) = line_and_rest(rest);
    let (Ok(path), Ok(new)) = (std::str::from_utf8(path), std::str::from_utf8(new)) else { return };
    let path: Vec<&str> = path.split('.').collect();
    let body = Bytes::from(json_of(body).into_owned());
    let Ok(edited) = edit::replace(&body, &[(&path, new)]) else { return };
    let mut expected: Value = serde_json::from_slice(&body).unwrap();
    let place = path.iter().try_fold(&mut expected, |value, &key| value.get_mut(key)).expect("the member was found");
    *place = serde_json::from_str(new).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&edited).unwrap(), expected);
    let kept = body.iter().zip(&edited).take_while(|(one, two)| one == two).count();
    assert!(kept + new.len() <= edited.len() + new.trim().len() || edited == body, "bytes before the value changed");
}

/// Members are put in and taken out where the changes say, and nowhere else. The input is lines of changes, `a.b=VALUE` or
/// `a.b` for one that goes, an empty line and the body.
pub(crate) fn splice(bytes: &[u8]) {
    let (mut changes, mut rest) = (Vec::new(), bytes);
    while changes.len() < 4 {
        let (line, after) = line_and_rest(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        let Ok(line) = std::str::from_utf8(line) else { return };
        let (path, value) = line.split_once('=').map_or((line, None), |(path, value)| (path, Some(value)));
        changes.push((path.split('.').collect::<Vec<_>>(), value));
    }
    let body = Bytes::from(json_of(rest).into_owned());
    let named: Vec<(&[&str], Change<'_>)> =
        changes.iter().map(|(path, value)| (path.as_slice(), value.map_or(Change::Remove, Change::Put))).collect();
    let Ok(spliced) = edit::splice(&body, &named) else { return };
    let mut expected: Value = serde_json::from_slice(&body).expect("what was read is JSON");
    for (path, value) in &changes {
        let (last, way) = path.split_last().expect("a path has a key");
        let object = match value {
            Some(_) => way.iter().try_fold(&mut expected, |at, &key| {
                Some(at.as_object_mut()?.entry(key).or_insert_with(|| Value::Object(serde_json::Map::new())))
            }),
            None => way.iter().try_fold(&mut expected, |at, &key| at.get_mut(key)),
        };
        match (object.and_then(Value::as_object_mut), value) {
            (Some(object), Some(value)) => {
                object.insert((*last).to_owned(), serde_json::from_str(value).expect("it was taken"));
            }
            (Some(object), None) => drop(object.remove(*last)),
            (None, value) => assert!(value.is_none(), "it was put into what is no object"),
        }
    }
    assert_eq!(serde_json::from_slice::<Value>(&spliced).expect("what was spliced is JSON"), expected);
}

/// An id that was read is read again as itself, in its own spelling and in any other.
pub(crate) fn id(bytes: &[u8]) {
    let Ok(strict) = json::check(bytes, &Bounds::MESSAGE) else { return };
    let Some(id) = Id::from_json(strict.top()) else { return };
    let spelled = id.to_string();
    let strict = json::check(spelled.as_bytes(), &Bounds::MESSAGE).expect("an id is JSON");
    let again = Id::from_json(strict.top()).expect("an id is an id");
    assert_eq!((&again, again.to_string()), (&id, spelled));
    let plain = match (id.as_number(), id.as_text()) {
        (Some(number), None) => Id::number(number),
        (None, Some(text)) => Id::text(text),
        both => panic!("an id is a number or a text: {both:?}"),
    };
    assert!(HashSet::from([id]).contains(&plain), "ids that mean one thing are one id");
}

/// A stream gives the same events however it is cut. The first byte says how long the pieces are.
pub(crate) fn events(bytes: &[u8]) {
    const EVENT_BYTES_MAX: usize = 64;
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let whole = decoded(stream, stream.len().max(1), EVENT_BYTES_MAX);
    assert_eq!(whole, decoded(stream, usize::from(piece) % 16 + 1, EVENT_BYTES_MAX));
    // What is told in an event is told again.
    let mut decoder = sse::Decoder::new(stream.len() + 16);
    decoder.push(&sse::encode(stream)).unwrap();
    let data = decoder.next().expect("an event").data;
    let unbroken = |text: &[u8]| String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
    assert_eq!(String::from_utf8_lossy(&data), unbroken(stream));
    assert_eq!((decoder.next(), decoder.finish()), (None, sse::Ending::Clean));
}

/// The events and the ending; nothing if it went over the limit, because how much came before depends on the cut.
fn decoded(stream: &[u8], piece: usize, max: usize) -> Option<(Vec<sse::Event>, sse::Ending)> {
    let mut decoder = sse::Decoder::new(max);
    let mut events = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece).ok()?;
        events.extend(std::iter::from_fn(|| decoder.next()));
    }
    Some((events, decoder.finish()))
}

/// Lines are the same however they are cut, and a message is one line. The first byte says how long the pieces are.
pub(crate) fn lines(bytes: &[u8]) {
    const LINE_BYTES_MAX: usize = 64;
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let whole = cut(stream, stream.len().max(1), LINE_BYTES_MAX);
    assert_eq!(whole, cut(stream, usize::from(piece) % 16 + 1, LINE_BYTES_MAX));
    let text = json_of(stream);
    let line = lines::encode(&text);
    assert_eq!(line.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count(), 1, "one line");
    if json::check(&text, &Bounds::MESSAGE).is_ok() {
        let said = serde_json::from_slice::<Value>(&text).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), said);
    }
}

fn cut(stream: &[u8], piece: usize, max: usize) -> Option<(Vec<Bytes>, sse::Ending)> {
    let mut decoder = lines::Decoder::new(max);
    let mut lines = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece).ok()?;
        lines.extend(std::iter::from_fn(|| decoder.next()));
    }
    Some((lines, decoder.finish()))
}

/// A canonical URI has one spelling for other readers too: none of them moves a part of its path.
pub(crate) fn uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !is_canonical_uri(text) {
        return;
    }
    assert!(text.len() <= limits::URI_BYTES_MAX && text.is_ascii());
    let Ok(read) = url::Url::parse(text) else { return };
    // The library also normalises hosts, and ports of schemes it knows; what it must not do is walk or escape a path.
    let (_, rest) = text.split_once(':').unwrap();
    let path = rest.split(['?', '#']).next().unwrap();
    if !read.is_special() {
        assert!(path.ends_with(read.path()), "`{text}` is read as the path `{}`", read.path());
        assert!(text.ends_with(read.query().unwrap_or_default()) || read.fragment().is_some());
    }
    assert!(read.path().split('/').all(|segment| segment != ".." && segment != "."));
}

/// What a server says of whom to ask for a token: whatever is read out of it stands in it.
pub(crate) fn challenge(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for name in ["resource_metadata", "error", "realm"] {
        if let Some(value) = evidence::parameter(text, name) {
            assert!(text.contains(&value), "`{value}` is not in `{text}`");
        }
    }
    if let Ok(allowed) = text.parse::<evidence::Allowed>() {
        assert_eq!(allowed.to_string().parse::<evidence::Allowed>(), Ok(allowed));
    }
}

/// What a jail tells: a note is one line, and read back as it was written.
pub(crate) fn jail_notes(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(note) = sandbox::Note::parse(text) else { return };
    let line = note.to_string();
    assert_eq!(line.lines().count(), 1, "{line:?}");
    let again = sandbox::Note::parse(&line).unwrap();
    assert_eq!(again.to_string(), line);
}
