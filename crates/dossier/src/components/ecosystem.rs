//! Where packages come from, what they are called there, and how their versions are compared.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metadata::Form;
use crate::version::Version;

/// Where packages come from. The words are those of the advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Ecosystem {
    /// JavaScript's: `npm`.
    Npm,
    /// Python's: `PyPI`.
    Python,
    /// Rust's: `crates.io`.
    Crates,
    /// A release of Debian: `Debian:12`.
    Debian(Release),
    /// A release of Ubuntu: `Ubuntu:24.04`.
    Ubuntu(Release),
    /// A release of Alpine: `Alpine:v3.19`.
    Alpine(Release),
    /// Wolfi, which has no releases.
    Wolfi,
    /// Chainguard's, which has none either.
    Chainguard,
    /// A release of Red Hat Enterprise Linux: `Red Hat:enterprise_linux:9`.
    RedHat(Release),
    /// A release of Rocky Linux: `Rocky Linux:9`.
    Rocky(Release),
    /// A release of `AlmaLinux`: `AlmaLinux:9`.
    Alma(Release),
    /// A release of openSUSE Leap: `openSUSE:Leap 15.6`.
    Leap(Release),
    /// openSUSE Tumbleweed, which has no releases.
    Tumbleweed,
    /// A release of SUSE Linux Enterprise, the service pack its second number: `SUSE:Linux Enterprise Server 15 SP6`.
    Suse(Release),
}

/// A release of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The first number.
    pub major: u16,
    /// The second; 0 where there is none.
    pub minor: u16,
}

impl Release {
    /// Reads `12`, `22.04` or `3.19.1`, of which the third number says nothing of the release.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|part| part.parse::<u16>().ok());
        let major = numbers.next()??;
        let minor = numbers.next().unwrap_or(Some(0))?;
        numbers.all(|number| number.is_some()).then_some(Self { major, minor })
    }

    /// The same where the second number says nothing of the release.
    pub(crate) fn major_only(self) -> Self {
        Self { minor: 0, ..self }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

impl From<Ecosystem> for String {
    fn from(ecosystem: Ecosystem) -> Self {
        ecosystem.word().into_owned()
    }
}

/// A word that names no ecosystem that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ecosystem that is known")]
pub struct UnknownEcosystem(String);

impl TryFrom<String> for Ecosystem {
    type Error = UnknownEcosystem;

    fn try_from(word: String) -> Result<Self, UnknownEcosystem> {
        Self::of_word(&word).ok_or(UnknownEcosystem(word))
    }
}

impl Ecosystem {
    /// Its word.
    pub fn word(self) -> Cow<'static, str> {
        match self {
            Self::Npm => "npm".into(),
            Self::Python => "PyPI".into(),
            Self::Crates => "crates.io".into(),
            Self::Debian(Release { major, .. }) => format!("Debian:{major}").into(),
            Self::Ubuntu(Release { major, minor }) => format!("Ubuntu:{major}.{minor:02}").into(),
            Self::Alpine(Release { major, minor }) => format!("Alpine:v{major}.{minor}").into(),
            Self::Wolfi => "Wolfi".into(),
            Self::Chainguard => "Chainguard".into(),
            Self::RedHat(Release { major, .. }) => format!("Red Hat:enterprise_linux:{major}").into(),
            Self::Rocky(Release { major, .. }) => format!("Rocky Linux:{major}").into(),
            Self::Alma(Release { major, .. }) => format!("AlmaLinux:{major}").into(),
            Self::Leap(Release { major, minor }) => format!("openSUSE:Leap {major}.{minor}").into(),
            Self::Tumbleweed => "openSUSE:Tumbleweed".into(),
            Self::Suse(Release { major: major @ 16.., minor }) => {
                format!("SUSE:Linux Enterprise Server {major}.{minor}").into()
            }
            Self::Suse(Release { major, minor: 0 }) => format!("SUSE:Linux Enterprise Server {major}").into(),
            Self::Suse(Release { major, minor }) => format!("SUSE:Linux Enterprise Server {major} SP{minor}").into(),
        }
    }

    /// What its word names. Whether a release of Ubuntu is kept up for long is said in the advisories' word, and not here.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        if let Some(one) = [Self::Npm, Self::Python, Self::Crates, Self::Wolfi, Self::Chainguard, Self::Tumbleweed]
            .into_iter()
            .find(|one| one.word() == word)
        {
            return Some(one);
        }
        let (system, release) = word.split_once(':')?;
        match system {
            "Debian" => Release::read(release).map(Self::Debian),
            "Ubuntu" => Release::read(release.strip_suffix(":LTS").unwrap_or(release)).map(Self::Ubuntu),
            "Alpine" => Release::read(release.strip_prefix('v')?).map(Self::Alpine),
            "Rocky Linux" => Release::read(release).map(Release::major_only).map(Self::Rocky),
            "AlmaLinux" => Release::read(release).map(Release::major_only).map(Self::Alma),
            "openSUSE" => Release::read(release.strip_prefix("Leap ")?).map(Self::Leap),
            "SUSE" => of_suse(release).map(Self::Suse),
            // `enterprise_linux:9::baseos`: which of its repositories says nothing of the package.
            "Red Hat" => {
                let release = release.strip_prefix("enterprise_linux:")?.split(':').next()?;
                Release::read(release).map(Release::major_only).map(Self::RedHat)
            }
            _ => None,
        }
    }

    /// The ecosystem of a package's form, if it has one.
    pub(crate) fn of_form(form: Form) -> Option<Self> {
        match form {
            Form::Npm => Some(Self::Npm),
            Form::Wheel | Form::PythonSource => Some(Self::Python),
            Form::Crate => Some(Self::Crates),
            Form::Bundle | Form::Image | Form::Files => None,
        }
    }

    /// Whether its packages are those that a system is made of.
    pub(crate) fn is_of_system(self) -> bool {
        !matches!(self, Self::Npm | Self::Python | Self::Crates)
    }

    /// Whether its packages are RPM's.
    pub(crate) fn is_of_rpm(self) -> bool {
        matches!(
            self,
            Self::RedHat(_) | Self::Rocky(_) | Self::Alma(_) | Self::Leap(_) | Self::Tumbleweed | Self::Suse(_)
        )
    }

    /// What package URLs call it, with the one who makes its packages.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Python => "pypi",
            Self::Crates => "cargo",
            Self::Debian(_) => "deb/debian",
            Self::Ubuntu(_) => "deb/ubuntu",
            Self::Alpine(_) => "apk/alpine",
            Self::Wolfi => "apk/wolfi",
            Self::Chainguard => "apk/chainguard",
            Self::RedHat(_) => "rpm/redhat",
            Self::Rocky(_) => "rpm/rocky-linux",
            Self::Alma(_) => "rpm/almalinux",
            Self::Leap(_) | Self::Tumbleweed => "rpm/opensuse",
            Self::Suse(_) => "rpm/suse",
        }
    }

    /// What package URLs call its release.
    pub(crate) fn distribution(self) -> Option<String> {
        match self {
            Self::Npm | Self::Python | Self::Crates | Self::Wolfi | Self::Chainguard => None,
            Self::Debian(Release { major, .. }) => Some(format!("debian-{major}")),
            Self::Ubuntu(Release { major, minor }) => Some(format!("ubuntu-{major}.{minor:02}")),
            Self::Alpine(Release { major, minor }) => Some(format!("alpine-{major}.{minor}")),
            Self::RedHat(Release { major, .. }) => Some(format!("rhel-{major}")),
            Self::Rocky(Release { major, .. }) => Some(format!("rocky-linux-{major}")),
            Self::Alma(Release { major, .. }) => Some(format!("almalinux-{major}")),
            Self::Leap(Release { major, minor }) => Some(format!("opensuse-leap-{major}.{minor}")),
            Self::Tumbleweed => Some("opensuse-tumbleweed".to_owned()),
            Self::Suse(Release { major, minor }) => Some(format!("sles-{major}.{minor}")),
        }
    }

    /// A name as it is compared: Python's are the same in any case and with any of `-_.` (PEP 503).
    pub(crate) fn name(self, name: &str) -> String {
        match self {
            Self::Python => {
                let words = name.trim().split(['-', '_', '.']).filter(|word| !word.is_empty());
                words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
            }
            Self::Npm
            | Self::Crates
            | Self::Debian(_)
            | Self::Ubuntu(_)
            | Self::Alpine(_)
            | Self::Wolfi
            | Self::Chainguard
            | Self::RedHat(_)
            | Self::Rocky(_)
            | Self::Alma(_)
            | Self::Leap(_)
            | Self::Tumbleweed
            | Self::Suse(_) => name.trim().to_owned(),
        }
    }

    /// A version that can be compared.
    pub(crate) fn version(self, text: &str) -> Option<Version> {
        match self {
            Self::Npm | Self::Crates => Version::semantic(text),
            Self::Python => Version::python(text),
            Self::Debian(_) | Self::Ubuntu(_) => Version::debian(text),
            Self::Alpine(_) | Self::Wolfi | Self::Chainguard => Version::alpine(text),
            Self::RedHat(_) | Self::Rocky(_) | Self::Alma(_) | Self::Leap(_) | Self::Tumbleweed | Self::Suse(_) => {
                Version::rpm(text)
            }
        }
    }
}

/// The release in the name of one of SUSE's products: `Linux Enterprise Module for Basesystem 15 SP6`, `… Server 15 SP3-LTSS`,
/// `… Server 16.0`. Which of them brings a package says nothing of the package; Micro counts its releases by itself.
fn of_suse(product: &str) -> Option<Release> {
    let mut words = product.strip_prefix("Linux Enterprise ")?.split([' ', '-']).skip_while(|word| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        !is_number && *word != "Micro"
    });
    let release = Release::read(words.next()?)?;
    let pack = words.next().and_then(|word| word.strip_prefix("SP"));
    match pack {
        Some(pack) => Some(Release { minor: pack.parse().ok()?, ..release }),
        None => Some(release),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suse_s_products_are_known_by_their_release() {
        for (product, word) in [
            ("Linux Enterprise Module for Basesystem 15 SP6", "15 SP6"),
            ("Linux Enterprise High Performance Computing 15 SP3-ESPOS", "15 SP3"),
            ("Linux Enterprise Server for SAP Applications 12 SP5", "12 SP5"),
            ("Linux Enterprise Server 15-LTSS", "15"),
            ("Linux Enterprise Server 16.0", "16.0"),
        ] {
            let ecosystem = Ecosystem::of_word(&format!("SUSE:{product}")).unwrap();
            assert_eq!(ecosystem.word(), format!("SUSE:Linux Enterprise Server {word}"));
            assert_eq!(Ecosystem::of_word(&ecosystem.word()), Some(ecosystem));
        }
        for product in [
            "Linux Enterprise Micro 5.5",
            "Linux Enterprise Server",
            "Manager Server 4.3",
            "Linux Enterprise Server 15 SPx",
        ] {
            assert_eq!(Ecosystem::of_word(&format!("SUSE:{product}")), None, "{product}");
        }
        for word in ["openSUSE:Leap 15.6", "openSUSE:Tumbleweed"] {
            assert_eq!(Ecosystem::of_word(word).unwrap().word(), word);
        }
        assert_eq!(Ecosystem::of_word("openSUSE:Leap Micro 5.5"), None);
    }
}
