//! The record's JSON form, written and read by hand: one fixed order, so that one record has one spelling of its
//! envelope, and reading never has to buffer an event before it knows its kind.

use std::fmt;

use model::{ReceiptId, Timestamp};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Event, Kind, Record};

/// The version of the record's form.
const VERSION: u8 = 1;

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Record", 5)?;
        line.serialize_field("v", &VERSION)?;
        line.serialize_field("id", &self.id)?;
        line.serialize_field("at", &self.at)?;
        line.serialize_field("kind", self.event.kind().as_str())?;
        match &self.event {
            Event::Opened(event) => line.serialize_field("event", event)?,
            Event::Intent(event) => line.serialize_field("event", event)?,
            Event::Outcome(event) => line.serialize_field("event", event)?,
            Event::Refused(event) => line.serialize_field("event", event)?,
            Event::Listed(event) => line.serialize_field("event", event)?,
            Event::Changed(event) => line.serialize_field("event", event)?,
            Event::Strangers(event) => line.serialize_field("event", event)?,
            Event::Unrecorded(event) => line.serialize_field("event", event)?,
            Event::Taken(event) => line.serialize_field("event", event)?,
            Event::Asked(event) => line.serialize_field("event", event)?,
            Event::Feedback(event) => line.serialize_field("event", event)?,
        }
        line.end()
    }
}

/// The members of a record, for reading their names.
#[derive(Deserialize, PartialEq, Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Member {
    V,
    Id,
    At,
    Kind,
    Event,
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record: an object of v, id, at, kind and event, in this order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let version: u8 = member(&mut map, Member::V)?;
        if version != VERSION {
            return Err(A::Error::custom(format_args!("record version {version} is not known here")));
        }
        let id: ReceiptId = member(&mut map, Member::Id)?;
        let at: Timestamp = member(&mut map, Member::At)?;
        let event = match member(&mut map, Member::Kind)? {
            Kind::Opened => Event::Opened(member(&mut map, Member::Event)?),
            Kind::Intent => Event::Intent(member(&mut map, Member::Event)?),
            Kind::Outcome => Event::Outcome(member(&mut map, Member::Event)?),
            Kind::Refused => Event::Refused(member(&mut map, Member::Event)?),
            Kind::Listed => Event::Listed(member(&mut map, Member::Event)?),
            Kind::Changed => Event::Changed(member(&mut map, Member::Event)?),
            Kind::Strangers => Event::Strangers(member(&mut map, Member::Event)?),
            Kind::Unrecorded => Event::Unrecorded(member(&mut map, Member::Event)?),
            Kind::Taken => Event::Taken(member(&mut map, Member::Event)?),
            Kind::Asked => Event::Asked(member(&mut map, Member::Event)?),
            Kind::Feedback => Event::Feedback(member(&mut map, Member::Event)?),
        };
        match map.next_key::<Member>()? {
            None => Ok(Record { id, at, event }),
            Some(more) => Err(A::Error::custom(format_args!("`{more:?}` stands where the record should end"))),
        }
    }
}

/// The next member's value, if it is the one that stands here.
fn member<'de, A: MapAccess<'de>, T: Deserialize<'de>>(map: &mut A, expected: Member) -> Result<T, A::Error> {
    match map.next_key::<Member>()? {
        Some(found) if found == expected => map.next_value(),
        found => Err(A::Error::custom(format_args!("`{found:?}` stands where `{expected:?}` should"))),
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Line)
    }
}

/// What recovery needs of a record, read without reading the rest.
pub(crate) struct Head {
    /// The record's id.
    pub(crate) id: ReceiptId,
    /// Its kind.
    pub(crate) kind: Kind,
    /// For an outcome, the intent it closes.
    pub(crate) closes: Option<ReceiptId>,
}

#[derive(Deserialize)]
struct HeadForm {
    id: ReceiptId,
    kind: Kind,
    event: EventHead,
}

#[derive(Deserialize)]
struct EventHead {
    intent: Option<ReceiptId>,
}

impl Head {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let HeadForm { id, kind, event } = serde_json::from_slice(bytes)?;
        Ok(Self { id, kind, closes: event.intent.filter(|_| kind == Kind::Outcome) })
    }
}
