//! Maps for what is looked up with every call.
//!
//! The standard library's hash is proof against whoever chooses the keys, and takes longer than comparing short names does.
//! This one has a seed of the process as well. It is for keys that people register (agents, users, servers, tools), and for
//! maps with a bound, so that whoever found keys that collide would gain little.

use std::collections::{HashMap, HashSet};

/// How these maps hash.
pub type Hashing = foldhash::quality::RandomState;

/// A map for what is looked up with every call.
pub type Map<K, V> = HashMap<K, V, Hashing>;

/// A set for the same.
pub type Set<T> = HashSet<T, Hashing>;
