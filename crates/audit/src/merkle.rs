//! The tree of RFC 6962: what makes a journal's past unchangeable without anyone noticing.
//!
//! `leaf = SHA-256(0x00 ‖ entry)`, `node = SHA-256(0x01 ‖ left ‖ right)`. A [`Frontier`] holds the roots of the perfect
//! subtrees of a growing tree, enough to go on and to know the root. [`Nodes`] gives the hashes that were kept, from
//! which proofs are made; verifying one takes nothing but the proof. The algorithms are those of RFC 9162, section 2.1.

use aws_lc_rs::digest::{SHA256, digest};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The height of the subtrees whose roots are kept beside the leaves, so that a proof reads few of them.
pub(crate) const BLOCK_HEIGHT: u32 = 10;
/// Leaves in such a subtree.
pub(crate) const BLOCK_LEAVES: u64 = 1 << BLOCK_HEIGHT;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The numbers do not fit each other: an index beyond the tree, a tree older than its past.
    #[error("the proof is about a tree of another size")]
    Size,
    /// The proof has too few or too many hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// The hashes lead elsewhere.
    #[error("the proof leads to another root")]
    Root,
}

/// The hash of a record's bytes as a leaf.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    leaf_hash_with(&mut Vec::new(), entry)
}

/// The same with a buffer to reuse: hashing one slice is cheaper than hashing two.
pub(crate) fn leaf_hash_with(buffer: &mut Vec<u8>, entry: &[u8]) -> Hash {
    buffer.clear();
    buffer.push(0);
    buffer.extend_from_slice(entry);
    sha256(buffer)
}

/// The hash of two hashes as their parent.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes.iter_mut().skip(1).zip(left.iter().chain(right)).for_each(|(to, from)| *to = *from);
    sha256(&bytes)
}

fn sha256(bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// A growing tree: its size, and the roots of its perfect subtrees, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A frontier that was kept; `None` when there are not as many peaks as the size has bits.
    pub fn resume(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == peaks.len()).then_some(Self { size, peaks })
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf. When that fills a block, gives the block's root.
    pub fn push(&mut self, leaf: Hash) -> Option<Hash> {
        let mut node = leaf;
        let mut block = None;
        for height in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            if height == BLOCK_HEIGHT {
                block = Some(node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
        block
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let root = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        root.unwrap_or_else(|| sha256(&[]))
    }
}

/// The hashes that were kept of a tree.
pub trait Nodes {
    /// Why a hash cannot be read.
    type Error;

    /// The hash of the leaf at `index`.
    fn leaf(&mut self, index: u64) -> Result<Hash, Self::Error>;

    /// The root of the full block of 1,024 leaves at `index`, counted in blocks.
    fn block(&mut self, index: u64) -> Result<Hash, Self::Error>;
}

/// The largest power of two below `leaves`, which is at least 2: where RFC 6962 splits a tree.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root of the leaves from `low` to before `high`, which are a subtree of the whole.
fn subtree<N: Nodes>(nodes: &mut N, low: u64, high: u64) -> Result<Hash, N::Error> {
    match high - low {
        1 => nodes.leaf(low),
        BLOCK_LEAVES if low.is_multiple_of(BLOCK_LEAVES) => nodes.block(low / BLOCK_LEAVES),
        leaves => {
            let middle = low + split(leaves);
            let left = subtree(nodes, low, middle)?;
            Ok(node_hash(&left, &subtree(nodes, middle, high)?))
        }
    }
}

/// The proof that the leaf at `index` is in the tree of `size` leaves. Empty when the index is beyond the tree.
///
/// # Errors
/// When a hash cannot be read.
pub fn inclusion_proof<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    while index < high && high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(subtree(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(subtree(nodes, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `size` leaves.
///
/// # Errors
/// When a hash cannot be read.
pub fn consistency_proof<N: Nodes>(nodes: &mut N, old: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    if old == 0 || old >= size {
        return Ok(proof);
    }
    // The old tree's own root is known to whoever asks; any other subtree it ends with must be told.
    let mut whole = true;
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(subtree(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(subtree(nodes, low, middle)?);
            low = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(subtree(nodes, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is the leaf at `index` of the tree of `size` leaves with this root.
///
/// # Errors
/// When it is not, or the proof does not show it.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    let mut last = size.checked_sub(1).filter(|&last| index <= last).ok_or(ProofError::Size)?;
    let mut at = index;
    let mut node = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            (at, last) = past_lone_levels(at, last);
        } else {
            node = node_hash(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if node == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// A node at the tree's right edge that is a left child has no sibling until it becomes a right one.
fn past_lone_levels(at: u64, last: u64) -> (u64, u64) {
    let levels = if at == 0 { 0 } else { at.trailing_zeros() };
    if at & 1 == 1 { (at, last) } else { (at >> levels, last >> levels) }
}

/// Checks that the tree of `old` leaves with `old_root` is the beginning of the tree of `size` leaves with `root`.
///
/// # Errors
/// When it is not, or the proof does not show it.
pub fn verify_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::Size);
    }
    if old == size || old == 0 {
        let same = old == 0 || old_root == root;
        return if !proof.is_empty() {
            Err(ProofError::Length)
        } else if same {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let seed = old.is_power_of_two().then_some(old_root);
    let mut hashes = seed.into_iter().chain(proof);
    let first = hashes.next().ok_or(ProofError::Length)?;
    let levels = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> levels, (size - 1) >> levels);
    let (mut old_node, mut node) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            old_node = node_hash(sibling, &old_node);
            node = node_hash(sibling, &node);
            (at, last) = past_lone_levels(at, last);
        } else {
            node = node_hash(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_node == *old_root && node == *root { Ok(()) } else { Err(ProofError::Root) }
}

#[cfg(test)]
mod tests;
