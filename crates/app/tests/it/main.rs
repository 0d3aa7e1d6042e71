//! The product from outside: the real binary between a real client and a real server, all on loopback.
//!
//! [`gate`] starts it in one line, [`puppet`] is the server behind it, [`verdict`] says what a refusal looks like. For
//! revisions with sessions, [`session`] is the client and [`talker`] the server; [`local`] has the servers that the gate
//! starts itself, [`several`] has several behind one endpoint, [`identity`] has who gives tokens. The attacks have a file
//! each, and its name is the attack.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bridge;
#[cfg(test)]
mod client;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod detector;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod inspected;
#[cfg(test)]
mod interceptors;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod local;
#[cfg(test)]
mod many;
#[cfg(test)]
mod oldest;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod puppet;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod resilience;
#[cfg(test)]
mod sample_server;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod several;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod talker;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod upstream;
#[cfg(test)]
mod verdict;
