//! Maps and caches for what is looked up with every call.
//!
//! The standard library's hash is proof against whoever chooses the keys, and takes longer than comparing short names does.
//! This one has a seed of the process as well. It is for keys that people register (agents, users, servers, tools), and for
//! maps with a bound, as caches are, so that whoever found keys that collide would gain little.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use quick_cache::sync::DefaultLifecycle;
use quick_cache::{UnitWeighter, Weighter};

/// How these maps hash.
type Hashing = foldhash::quality::RandomState;

/// A map for what is looked up with every call.
pub type Map<K, V> = HashMap<K, V, Hashing>;

/// A set for the same.
pub type Set<T> = HashSet<T, Hashing>;

/// A cache for the same: what is used least is forgotten first.
pub type Cache<K, V, W = UnitWeighter> = quick_cache::sync::Cache<K, V, W, Hashing>;

/// A cache with room for as many entries as are `expected` from the start, that keeps `most` of what the weigher weighs.
pub fn cache<K, V, W>(expected: usize, most: u64, weigher: W) -> Cache<K, V, W>
where
    K: Eq + Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    Cache::with(expected, most, weigher, Hashing::default(), DefaultLifecycle::default())
}
