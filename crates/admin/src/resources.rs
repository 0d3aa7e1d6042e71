//! The resources of the API, one file each.

pub(crate) mod about;
pub(crate) mod apply;
pub(crate) mod halts;
pub(crate) mod inventories;
pub(crate) mod lifecycle;
pub(crate) mod lists;
pub(crate) mod looks;
pub(crate) mod packages;
pub(crate) mod people;
pub(crate) mod receipts;
pub(crate) mod servers;
pub(crate) mod vault;
pub(crate) mod vetting;
