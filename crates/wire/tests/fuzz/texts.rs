//! JSON: the strict reader, and changes in a text.

use bytes::Bytes;
use serde_json::Value;
use wire::edit;
use wire::json::{self, Bounds, Json};

use crate::TEST_TIME;
use crate::grower::Grower;

/// Do our reader and `serde_json` see the same value? Floats may differ in their last bits, because `serde_json` trades
/// these for speed.
fn same(ours: Json<'_>, theirs: &Value) -> bool {
    match theirs {
        Value::Null => ours.is_null(),
        Value::Bool(flag) => ours.boolean() == Some(*flag),
        Value::String(text) => ours.string().as_deref() == Some(text),
        Value::Number(number) => match ours.integer() {
            Some(integer) => number.as_i64() == Some(integer),
            None => {
                let (ours, theirs) = (ours.text().parse::<f64>().unwrap(), number.as_f64().unwrap());
                ours == theirs || ((ours - theirs) / ours).abs() < 1e-15 || (ours - theirs).abs() < 1e-322
            }
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

fn agree(text: &[u8]) -> bool {
    let Ok(strict) = json::check(text, &Bounds::MESSAGE) else { return false };
    let theirs: Value = serde_json::from_slice(text).expect("what the strict reader takes, every reader takes");
    assert!(same(strict.top(), &theirs), "{}", String::from_utf8_lossy(text));
    if let Value::Object(members) = &theirs {
        assert_eq!(strict.members().count(), members.len());
        for (outer, value) in members {
            let inside = strict.members_of(outer).count();
            assert_eq!(inside, value.as_object().map_or(0, serde_json::Map::len));
        }
    }
    true
}

#[test]
fn what_the_strict_reader_takes_serde_json_reads_as_the_same_value() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        agree(bytes);
        agree(&Grower::grow(bytes));
    });
}

#[test]
fn enough_of_what_is_grown_is_taken() {
    let mut taken = 0;
    for seed in 0..1000_u64 {
        let bytes: Vec<u8> = (0..80_u64)
            .map(|place| {
                (seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) ^ place)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            })
            .map(|mixed| mixed.to_be_bytes()[0])
            .collect();
        taken += usize::from(agree(&Grower::grow(&bytes)));
    }
    assert!(taken > 100, "only {taken} of 1000 texts were worth comparing");
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(bytes, new)| {
        let (grown, new) = (Grower::grow(bytes), Grower::grow(new));
        let body = Bytes::from(format!(r#" {{"a":[1.0], "params":{{"x":{0},"y":{0}}},"id":7 }}"#, lossy(&grown)));
        let path: &[&str] = &["params", "x"];
        let edited = edit::replace(&body, &[(path, &lossy(&new)), (&["id"], "8")]);
        let sound = |text: &[u8]| json::check(text, &Bounds::MESSAGE).is_ok();
        let Ok(edited) = edited else {
            assert!(!sound(&body) || !sound(lossy(&new).as_bytes()), "{}", lossy(&body));
            return;
        };
        let (old, changed): (Value, Value) =
            (serde_json::from_slice(&body).unwrap(), serde_json::from_slice(&edited).unwrap());
        let mut expected = old;
        expected["params"]["x"] = serde_json::from_slice(&new).unwrap();
        expected["id"] = Value::from(8);
        assert_eq!(changed, expected);
        // And back again, byte for byte.
        let before = serde_json::from_slice::<&serde_json::value::RawValue>(&grown).unwrap().get();
        assert_eq!(edit::replace(&edited, &[(path, before), (&["id"], "7")]).unwrap(), body);
    });
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
