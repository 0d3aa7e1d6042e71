//! Who is signed in on the admin side, and sending them out.

use std::sync::Arc;

use identity::people::{Entrance, Present};
use model::{Account, Actor, Expected};

use crate::Admin;
use crate::fault::{Code, Fault};
use crate::requests::SendOut;
use crate::route::{Call, Nothing};
use crate::view::{KnownBy, PersonRow, SentOut};

pub(crate) async fn list(admin: Arc<Admin>, call: Call) -> Result<Vec<PersonRow>, Fault> {
    let Some(entrance) = &admin.entrance else { return Ok(Vec::new()) };
    let asks = &call.person.who;
    let row = |present: Present| {
        let own = matches!(asks, Actor::SignedIn(asks) if *asks == present.account);
        let Present { account: Account { issuer, subject, name }, roles, kind, begun, seen, ends } = present;
        let known_by = KnownBy::from(kind);
        PersonRow { name, issuer, subject, roles, known_by, begun: begun.0, seen: seen.0, ends: ends.0, own }
    };
    Ok(entrance.present().await?.into_iter().map(row).collect())
}

pub(crate) async fn send_out(admin: Arc<Admin>, call: Call<Nothing, Nothing, SendOut>) -> Result<SentOut, Fault> {
    let SendOut { issuer, subject, reason } = call.body;
    let change = admin.change(&call.person, Expected::Any, reason)?;
    let nobody =
        || Fault::new(Code::NotFound, "nobody with this account is signed in").with_next("portcullis people list");
    let entrance: &Entrance = admin.entrance.as_deref().ok_or_else(nobody)?;
    match entrance.send_out(issuer, subject, change).await? {
        0 => Err(nobody()),
        ended => Ok(SentOut { ended }),
    }
}
