//! The admin API as its clients meet it: on a socket, with a real store and a real journal behind it.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod halts;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod servers;
