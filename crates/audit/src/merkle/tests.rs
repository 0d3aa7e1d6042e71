use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// The tree by its definition in RFC 6962, section 2.1, slow and plain.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(usize::try_from(split(many.len() as u64)).unwrap());
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

struct Plain<'a>(&'a [Hash]);

impl Nodes for Plain<'_> {
    type Error = Infallible;

    fn leaf(&mut self, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::try_from(index).unwrap()])
    }

    fn block(&mut self, index: u64) -> Result<Hash, Infallible> {
        let low = usize::try_from(index * BLOCK_LEAVES).unwrap();
        Ok(root_by_definition(&self.0[low..low + usize::try_from(BLOCK_LEAVES).unwrap()]))
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_le_bytes())).collect()
}

fn frontier(leaves: &[Hash]) -> Frontier {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier
}

fn hex(hash: Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The inputs and roots with which implementations of RFC 6962 are compared.
#[test]
fn the_roots_are_those_of_certificate_transparency() {
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Frontier::default();
    assert_eq!(hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (input, root) in inputs.into_iter().zip(roots) {
        tree.push(leaf_hash(input));
        assert_eq!(hex(tree.root()), root);
    }
}

#[test]
fn a_full_block_gives_its_root_and_others_none() {
    let leaves = leaves(2_050);
    let mut tree = Frontier::default();
    let blocks: Vec<Hash> = leaves.iter().filter_map(|leaf| tree.push(*leaf)).collect();
    assert_eq!(blocks, [root_by_definition(&leaves[..1_024]), root_by_definition(&leaves[1_024..2_048])]);
}

#[test]
fn a_frontier_goes_on_from_what_was_kept() {
    let leaves = leaves(37);
    let kept = frontier(&leaves[..21]);
    let mut resumed = Frontier::resume(kept.size(), kept.peaks().to_vec()).unwrap();
    for leaf in &leaves[21..] {
        resumed.push(*leaf);
    }
    assert_eq!(resumed.root(), root_by_definition(&leaves));
    assert_eq!(Frontier::resume(21, kept.peaks()[1..].to_vec()), None);
}

#[test]
fn proofs_about_no_tree_or_a_leaf_beyond_it_prove_nothing() {
    let root = Frontier::default().root();
    assert_eq!(verify_inclusion(&root, 0, 0, &[], &root), Err(ProofError::Size));
    assert_eq!(verify_inclusion(&root, 1, 1, &[], &root), Err(ProofError::Size));
    assert_eq!(verify_consistency(2, &root, 1, &root, &[]), Err(ProofError::Size));
    assert_eq!(verify_consistency(3, &root, 7, &root, &[]), Err(ProofError::Length));
}

#[test]
fn proofs_across_blocks_lead_to_the_root() {
    let leaves = leaves(5_000);
    let root = frontier(&leaves).root();
    assert_eq!(root, root_by_definition(&leaves));
    for index in [0, 1_023, 1_024, 4_095, 4_096, 4_999] {
        let Ok(proof) = inclusion_proof(&mut Plain(&leaves), index, 5_000);
        let leaf = leaves[usize::try_from(index).unwrap()];
        assert_eq!(verify_inclusion(&leaf, index, 5_000, &proof, &root), Ok(()));
    }
    for old in [1, 1_024, 1_025, 3_000, 4_096, 4_999] {
        let Ok(proof) = consistency_proof(&mut Plain(&leaves), old, 5_000);
        let old_root = frontier(&leaves[..usize::try_from(old).unwrap()]).root();
        assert_eq!(verify_consistency(old, &old_root, 5_000, &root, &proof), Ok(()));
    }
}

proptest! {
    #[test]
    fn every_leaf_is_proved_and_no_other_leaf_or_root(size in 1_usize..200, pick in 0_usize..200, spoil in 0_usize..12) {
        let leaves = leaves(size);
        let index = pick % size;
        let root = root_by_definition(&leaves);
        prop_assert_eq!(frontier(&leaves).root(), root);
        let (at, of) = (index as u64, size as u64);
        let Ok(proof) = inclusion_proof(&mut Plain(&leaves), at, of);
        prop_assert_eq!(verify_inclusion(&leaves[index], at, of, &proof, &root), Ok(()));
        let other = leaf_hash(b"another");
        prop_assert!(verify_inclusion(&other, at, of, &proof, &root).is_err());
        prop_assert!(verify_inclusion(&leaves[index], at, of, &proof, &other).is_err());
        let longer = [proof.as_slice(), &[other]].concat();
        prop_assert!(verify_inclusion(&leaves[index], at, of, &longer, &root).is_err());
        if !proof.is_empty() {
            let mut spoiled = proof.clone();
            spoiled[spoil % proof.len()][0] ^= 1;
            prop_assert!(verify_inclusion(&leaves[index], at, of, &spoiled, &root).is_err());
            prop_assert!(verify_inclusion(&leaves[index], at, of, &proof[1..], &root).is_err());
        }
    }

    #[test]
    fn every_past_is_proved_and_no_other_past(size in 1_usize..200, pick in 0_usize..200, spoil in 0_usize..12) {
        let leaves = leaves(size);
        let old = pick % size + 1;
        let (root, old_root) = (root_by_definition(&leaves), root_by_definition(&leaves[..old]));
        let Ok(proof) = consistency_proof(&mut Plain(&leaves), old as u64, size as u64);
        let verify = |old_root: &Hash, root: &Hash, proof: &[Hash]| {
            verify_consistency(old as u64, old_root, size as u64, root, proof)
        };
        prop_assert_eq!(verify(&old_root, &root, &proof), Ok(()));
        let other = leaf_hash(b"another");
        prop_assert!(verify(&other, &root, &proof).is_err());
        prop_assert!(verify(&old_root, &other, &proof).is_err());
        prop_assert!(verify(&old_root, &root, &[proof.as_slice(), &[other]].concat()).is_err());
        if !proof.is_empty() {
            let mut spoiled = proof.clone();
            spoiled[spoil % proof.len()][0] ^= 1;
            prop_assert!(verify(&old_root, &root, &spoiled).is_err());
            prop_assert!(verify(&old_root, &root, &proof[1..]).is_err());
        }
    }
}
