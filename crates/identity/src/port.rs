//! What this room asks of a store.

mod credentials;
mod facade;
mod people;

pub use credentials::{Credentials, Kept, Place};
pub use facade::{
    Consent, Device, Ended, Facade, Family, Grant, KeptKey, Person, Polled, Redeemed, Refresh, Registered, Rotated,
    SealedAt, SealedPlace, SignIn,
};
pub use people::{EndedSession, FoundSession, People, Session, SessionKind};
