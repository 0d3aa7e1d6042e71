//! A container image, examined.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256, SHA512};
use model::limits;

use super::{Beside, Examination, Finding, Findings, Progress, examined, finding};
use crate::archive::ArchiveError;
use crate::image::{Limits, Opened, open};
use crate::provenance::Provenance;
use crate::rules::Severity;

/// Words in the names of variables whose values are nobody's business.
const SECRET: [&str; 6] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "PRIVATE_KEY"];

/// Examines a container image: its archive, as it comes from a disk.
///
/// # Errors
/// When it cannot be read, or is not what its digests say.
pub fn examine_image(
    name: &str,
    source: impl Read,
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Result<Examination, ArchiveError> {
    told(Progress::Unpacking);
    let mut source = Twice { source, sha256: Context::new(&SHA256), sha512: Context::new(&SHA512) };
    let opened = open(&mut source, Limits::default())?;
    put_together(name, source, opened, beside, told)
}

/// Examines one whose archive is packed as a whole.
pub(super) fn examine_packed(
    name: &str,
    bytes: &[u8],
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Result<Examination, ArchiveError> {
    let mut source = Twice { source: bytes, sha256: Context::new(&SHA256), sha512: Context::new(&SHA512) };
    let opened = open(flate2::read::MultiGzDecoder::new(&mut source), Limits::default())?;
    put_together(name, source, opened, beside, told)
}

fn put_together(
    name: &str,
    mut source: Twice<impl Read>,
    opened: Opened,
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Result<Examination, ArchiveError> {
    // What lies behind the archive's end is part of the file, too.
    let most = limits::IMAGE_BYTES_MAX;
    let behind = io::copy(&mut (&mut source).take(most), &mut io::sink());
    if behind.map_err(|_| ArchiveError::Malformed("its content is damaged or ends early"))? == most {
        return Err(ArchiveError::TooLarge(most));
    }
    let Opened { image, metadata, contents, components, files, config, unread } = opened;
    let mut findings = Findings::default();
    for why in &unread {
        let title = "has something in it that is compared with no advisories";
        findings
            .push(Finding { excerpt: super::short(why), ..finding("unread-packages", Severity::Medium, title, "") });
    }
    let is_secret = |name: &str| SECRET.iter().any(|word| name.to_ascii_uppercase().contains(word));
    for (name, _) in config.environment().filter(|(name, value)| is_secret(name) && !value.is_empty()) {
        let title = "has in its environment what is called like a secret: whoever has the image has it";
        findings.push(Finding { excerpt: super::short(name), ..finding("image-secret", Severity::Medium, title, "") });
    }
    if ["root", "0"].contains(&image.user.split(':').next().unwrap_or_default()) {
        findings.push(finding(
            "runs-as-root",
            Severity::Low,
            "runs as root, unless whoever starts it says otherwise",
            "",
        ));
    }
    let mut examination = examined(name, &contents, metadata, components, findings, beside, told);
    (examination.files, examination.image) = (files, Some(image));
    let (sha256, sha512) = source.done();
    (examination.sha256, examination.sha512) = (Some(sha256), Some(sha512));
    examination.provenance = Provenance::of(&beside.attestations, None, &examination.package());
    examination.judge_provenance();
    Ok(examination)
}

/// A source that is digested in both ways in which packages are known.
struct Twice<R> {
    source: R,
    sha256: Context,
    sha512: Context,
}

impl<R> Twice<R> {
    fn done(self) -> (String, String) {
        let digits = |context: Context| context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (digits(self.sha256), digits(self.sha512))
    }
}

impl<R: Read> Read for Twice<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let new = buffer.get(..read).unwrap_or_default();
        self.sha256.update(new);
        self.sha512.update(new);
        Ok(read)
    }
}
