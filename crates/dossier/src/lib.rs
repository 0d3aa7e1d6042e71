//! What is in this package?
//!
//! A server is mostly a package that somebody else published. [`examine`] takes its bytes and says what is in it: what it
//! says of itself ([`Metadata`]), what it has run when it is installed, how near its name is to that of something well
//! known ([`Resemblance`]), who is proven to have made it ([`provenance`]), and what its source does that a reviewer should
//! see, by file and line ([`Finding`]). All of it together is an [`Examination`], with a score that is explained line by line.
//!
//! Nothing of a package is ever run here, and nothing is written to a disk: [`archive`] unpacks into memory, within limits
//! that the package cannot talk its way around. [`source`] reads syntax, [`rules`] are data. A room of its own, and no part
//! of `registry`, because nothing that reads strangers' archives should be able to reach a server or the state.

pub mod advisories;
pub mod archive;
mod components;
mod image;
mod metadata;
pub mod provenance;
mod publisher;
mod resemblance;
pub mod rules;
mod sbom;
mod scan;
pub mod source;
mod version;

pub use components::{Component, Ecosystem, Release, SourcePackage};
pub use image::Image;
pub use metadata::{Form, Metadata};
pub use publisher::{PATH as PUBLISHER_PATH, PublisherKey, publisher_keys};
pub use resemblance::{Resemblance, alike, resemblance};
pub use rules::Severity;
pub use sbom::cyclone_dx;
pub use scan::{
    Beside, Examination, Finding, Point, Progress, examine, examine_contents, examine_image, repository_place,
};
