//! `portcullis canary new NAME`: a token to lay where nobody has business, so that the gate tells when somebody says it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use model::{Entropy as _, Fingerprint, RuleId};

use super::failure::Failure;
use super::paint::{self, FAINT, NAME};
use crate::inspection;
use crate::settings::Loaded;
use crate::system::SystemEntropy;

/// Tokens that tell of a theft.
#[derive(Debug, Args)]
pub(crate) struct Canary {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token, and print it with what to put into the settings
    New {
        /// What it is to be laid beside: a-z, 0-9, `-` and `.`
        name: String,
        /// What it is to look like
        #[arg(long, value_enum, default_value_t = Like::Key)]
        like: Like,
        /// The gate's settings: the key of its fingerprints is in the data directory that they name
        #[arg(long, value_name = "FILE", default_value = "portcullis.toml", env = "PORTCULLIS_CONFIG")]
        config: PathBuf,
    },
}

/// What a token looks like.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Like {
    /// A key of some service
    Key,
    /// A password in words
    Words,
    /// An address of mail
    Mail,
}

impl Canary {
    /// Does it.
    pub(crate) fn run(self) -> ExitCode {
        let Command::New { name, like, config } = self.command;
        match new(&name, like, &config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.told(),
        }
    }
}

fn new(name: &str, like: Like, config: &std::path::Path) -> Result<(), Failure> {
    format!("canary.{name}").parse::<RuleId>().map_err(|error| Failure::usage(format!("`{name}`: {error}")))?;
    let loaded = Loaded::read(config).map_err(|error| Failure::new(format!("{error:#}")))?;
    let entropy = SystemEntropy::default();
    let key = inspection::key(&loaded.data(), &entropy).map_err(|error| Failure::new(format!("{error:#}")))?;
    let token = token(like, entropy.bits());
    let fingerprint = Fingerprint::of(&key, token.as_bytes()).ok_or_else(|| Failure::new("the token is too short"))?;
    paint::out(&format!(
        "{NAME}{token}{NAME:#}\n\n{FAINT}It is told nowhere else. Lay it where nobody has business, add this to the \
         settings, and start\nthe gate anew:{FAINT:#}\n\n[[inspection.canary]]\nname = \"{name}\"\nfingerprint = \"{fingerprint}\"\n"
    ))
}

/// A token that nobody says by chance.
fn token(like: Like, bits: u128) -> String {
    match like {
        Like::Key => format!("sk_live_{bits:032x}"),
        Like::Mail => format!("{:012x}.{:08x}@mail-archive.example", bits >> 80, bits & 0xffff_ffff),
        Like::Words => {
            let word = |place: u32| {
                let index = usize::try_from((bits >> (8 * place)) & 0xff).unwrap_or_default();
                WORDS.get(index % WORDS.len()).copied().unwrap_or("north")
            };
            let words: Vec<&str> = (0..8).map(word).collect();
            format!("{}-{:04x}", words.join("-"), bits >> 112)
        }
    }
}

/// Words of a password.
const WORDS: [&str; 32] = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper", "kettle", "lantern",
    "meadow", "north", "orchard", "pebble", "quarry", "river", "saddle", "timber", "umber", "valley", "willow",
    "yarrow", "zephyr", "anchor", "beacon", "copper", "drift", "elm", "flint", "glade",
];
