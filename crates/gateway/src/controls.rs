//! One control per file, in the order in which a call meets them. Each `run` takes what earlier controls proved and
//! returns its own proof, whose fields nobody else can fill in, or a refusal.

pub(crate) mod accept;
pub(crate) mod ask;
pub(crate) mod authenticate;
pub(crate) mod connect;
pub(crate) mod credential;
pub(crate) mod decide;
pub(crate) mod forward;
pub(crate) mod halted;
pub(crate) mod inspect;
pub(crate) mod intent;
pub(crate) mod intercept;
pub(crate) mod read;
pub(crate) mod refuse;
pub(crate) mod release;
pub(crate) mod session;
pub(crate) mod turn;
pub(crate) mod validate;
pub(crate) mod visible;
