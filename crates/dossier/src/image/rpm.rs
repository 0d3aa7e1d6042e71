//! The packages that RPM lists: its database has a header for each
//! (<https://rpm-software-management.github.io/rpm/manual/format_header.html>).

use std::collections::BTreeSet;

use super::system::{Installed, says_what_is_installed};
use super::{ndb, sqlite};
use crate::components::SourcePackage;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const SOURCE: u32 = 1044;
/// Of each file its folder, counted from zero; its name; and all folders.
const FOLDER_OF_EACH: u32 = 1116;
const NAMES: u32 = 1117;
const FOLDERS: u32 = 1118;

/// The kinds of what stands under such a number: numbers of four bytes, a text, texts.
const NUMBERS: u32 = 4;
const TEXT: u32 = 6;
const TEXTS: u32 = 8;

/// A key of those who sign packages, kept among them.
const KEY: &str = "gpg-pubkey";

/// Why a database cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Sqlite(#[from] sqlite::Unread),
    #[error(transparent)]
    Own(#[from] ndb::Unread),
    #[error("it is damaged")]
    Header,
}

/// Every package of a database of SQLite's, and which of their files say what else is installed.
pub(super) fn packages(database: &[u8], owned: &mut BTreeSet<String>) -> Result<Vec<Installed>, Unread> {
    let mut read = Read { list: Vec::new(), owned, is_damaged: false };
    sqlite::rows(database, "Packages", &mut |row| read.take(row.bytes(1)))?;
    read.done()
}

/// The same of a database in RPM's own form, as SUSE has it.
pub(super) fn packages_of_own(database: &[u8], owned: &mut BTreeSet<String>) -> Result<Vec<Installed>, Unread> {
    let mut read = Read { list: Vec::new(), owned, is_damaged: false };
    ndb::blobs(database, &mut |blob| read.take(Some(blob)))?;
    read.done()
}

/// What was read so far.
struct Read<'a> {
    list: Vec<Installed>,
    owned: &'a mut BTreeSet<String>,
    is_damaged: bool,
}

impl Read<'_> {
    fn take(&mut self, header: Option<&[u8]>) {
        match header.and_then(Header::read) {
            Some(header) => {
                self.list.extend(header.package().filter(|package| package.name != KEY));
                header.owned(self.owned);
            }
            None => self.is_damaged = true,
        }
    }

    fn done(self) -> Result<Vec<Installed>, Unread> {
        if self.is_damaged { Err(Unread::Header) } else { Ok(self.list) }
    }
}

/// What is said of one package.
struct Header<'a> {
    /// Four numbers for each: which it is, its kind, where it begins in the data, how many there are.
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = number(bytes)?;
        let (length, rest) = number(rest)?;
        let (index, rest) = rest.split_at_checked(usize::try_from(count).ok()?.checked_mul(16)?)?;
        Some(Self { index, data: rest.get(..usize::try_from(length).ok()?)? })
    }

    /// Where the data of this number and kind begins, and how many there are.
    fn at(&self, which: u32, kind: u32) -> Option<(&'a [u8], usize)> {
        self.index.chunks_exact(16).find_map(|entry| {
            let (tag, rest) = number(entry)?;
            let (of_kind, rest) = number(rest)?;
            let (from, rest) = number(rest)?;
            let (count, _) = number(rest)?;
            let data = self.data.get(usize::try_from(from).ok()?..)?;
            (tag == which && of_kind == kind).then_some((data, usize::try_from(count).ok()?))
        })
    }

    fn text(&self, which: u32) -> Option<String> {
        texts(self.at(which, TEXT)?.0).next().filter(|text| !text.is_empty())
    }

    fn numbers(&self, which: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (data, count) = self.at(which, NUMBERS).unwrap_or_default();
        data.chunks_exact(4).take(count).filter_map(|bytes| Some(number(bytes)?.0))
    }

    fn package(&self) -> Option<Installed> {
        let epoch = self.numbers(EPOCH).next().filter(|epoch| *epoch > 0);
        let with_epoch = |version: &str| epoch.map_or_else(|| version.to_owned(), |epoch| format!("{epoch}:{version}"));
        let version = format!("{}-{}", self.text(VERSION)?, self.text(RELEASE)?);
        // `openssl-3.0.7-27.el9.src.rpm`
        let source = self.text(SOURCE).and_then(|file| {
            let (rest, release) = file.strip_suffix(".src.rpm")?.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            Some(SourcePackage { name: name.to_owned(), version: with_epoch(&format!("{version}-{release}")) })
        });
        Some(Installed { name: self.text(NAME)?, version: with_epoch(&version), source })
    }

    /// Notes those of its files that say what is installed.
    fn owned(&self, owned: &mut BTreeSet<String>) {
        let of_texts = |which| self.at(which, TEXTS).map_or((&[][..], 0), |found| found);
        let (names, count) = of_texts(NAMES);
        let (folders, folder_count) = of_texts(FOLDERS);
        let mut known: Option<Vec<String>> = None;
        for (name, folder) in texts(names).take(count).zip(self.numbers(FOLDER_OF_EACH)) {
            if says_what_is_installed(&name) {
                let folders = known.get_or_insert_with(|| texts(folders).take(folder_count).collect());
                let folder = usize::try_from(folder).ok().and_then(|folder| folders.get(folder));
                owned.extend(folder.map(|folder| format!("{}{name}", folder.trim_start_matches('/'))));
            }
        }
    }
}

/// A number, and what follows it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// Texts, one behind the other, each with a zero at its end.
fn texts(data: &[u8]) -> impl Iterator<Item = String> {
    data.split_inclusive(|byte| *byte == 0)
        .filter_map(|text| text.strip_suffix(&[0]))
        .map(|text| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
pub(super) mod tests;
