//! Files that nobody needs, laid where keys and passwords lie, and watched: whoever opens one looks for what is in it.
//!
//! They are watched from outside of the jail that they are in, by the kernel, so that nothing within can tell or prevent it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Files that are watched.
#[derive(Debug)]
pub struct Bait {
    /// Where each lies, and where it is found within a jail.
    laid: Vec<(PathBuf, PathBuf)>,
    #[cfg(target_os = "linux")]
    watched: Watched,
    taken: BTreeMap<PathBuf, Taken>,
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taken {
    /// It was opened.
    Opened,
    /// It was read.
    Read,
}

#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Watched {
    kernel: std::os::fd::OwnedFd,
    places: BTreeMap<i32, PathBuf>,
}

impl Bait {
    /// Lays files with these contents below `directory`, which must be there, and begins to watch them. Each is told where it is
    /// found within a jail.
    ///
    /// # Errors
    /// When they cannot be written or watched.
    pub fn lay(directory: &Path, files: impl IntoIterator<Item = (String, String)>) -> io::Result<Self> {
        use std::io::Write as _;
        let mut laid = Vec::new();
        for (number, (within, content)) in files.into_iter().enumerate() {
            let folder = directory.join(number.to_string());
            fs::DirBuilder::new().mode(0o700).create(&folder)?;
            let place = folder.join("file");
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600).open(&place)?.write_all(content.as_bytes())?;
            laid.push((place, PathBuf::from(within)));
        }
        #[cfg(target_os = "linux")]
        let watched = Watched::begin(&laid)?;
        Ok(Self {
            laid,
            #[cfg(target_os = "linux")]
            watched,
            taken: BTreeMap::new(),
        })
    }

    /// Where each lies, and where it is found within a jail: what a [`crate::Cell`] finds.
    pub fn laid(&self) -> &[(PathBuf, PathBuf)] {
        &self.laid
    }

    /// What was done to them since this was asked last, by where they are found.
    pub fn taken(&mut self) -> BTreeMap<PathBuf, Taken> {
        #[cfg(target_os = "linux")]
        self.watched.read(&mut self.taken);
        std::mem::take(&mut self.taken)
    }
}

#[cfg(target_os = "linux")]
impl Watched {
    fn begin(laid: &[(PathBuf, PathBuf)]) -> io::Result<Self> {
        use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
        let kernel = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut places = BTreeMap::new();
        for (place, within) in laid {
            let watch = inotify::add_watch(&kernel, place, WatchFlags::OPEN | WatchFlags::ACCESS)?;
            places.insert(watch, within.clone());
        }
        Ok(Self { kernel, places })
    }

    fn read(&self, taken: &mut BTreeMap<PathBuf, Taken>) {
        use rustix::fs::inotify::{ReadFlags, Reader};
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.kernel, &mut buffer);
        // It does not block: what there is is read, and no more.
        while let Ok(event) = reader.next() {
            let Some(place) = self.places.get(&event.wd()) else { continue };
            let was_read = event.events().contains(ReadFlags::ACCESS);
            let done = if was_read { Taken::Read } else { Taken::Opened };
            let known = taken.entry(place.clone()).or_insert(done);
            *known = done.max(*known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn whoever_opens_or_reads_one_is_seen_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["/home/user/.ssh/id_rsa", "/home/user/.netrc"].map(|place| (place.to_owned(), "key".to_owned()));
        let mut bait = Bait::lay(folder.path(), files).unwrap();
        assert!(bait.taken().is_empty());
        let (place, within) = bait.laid()[0].clone();
        let file = fs::File::open(&place).unwrap();
        assert_eq!(bait.taken(), BTreeMap::from([(within.clone(), Taken::Opened)]));
        drop(file);
        assert_eq!(fs::read_to_string(&place).unwrap(), "key");
        assert_eq!(bait.taken(), BTreeMap::from([(within, Taken::Read)]));
        assert!(bait.taken().is_empty(), "what was told is told once");
    }
}
