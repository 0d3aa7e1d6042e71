//! Nothing secret is left behind. Each gate of a test with people, sign-ins or issuers remembers what was secret on the way in and
//! out (tokens, codes, cookies, and all that lies in its folders of secrets), and what was heard of it. When it goes, none of the
//! one is in any of the other, nor in its log, its receipts or anything else that it keeps. Only what is asked for a token may
//! answer with one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use http::{HeaderMap, header};
use url::Url;

use super::{Heard, Said};

/// Shorter ones are words of tests that stand for nothing.
const BYTES_MIN: usize = 20;

/// Who answers with tokens, because that is what they are asked for; and the members that hold them.
const GIVERS: [&str; 4] =
    ["/oauth/token", "/oauth/device_authorization", "/sign-in/command-line/token", "/sign-in/device"];
const MEMBERS: [&str; 6] = ["access_token", "refresh_token", "id_token", "device_code", "token", "device"];

/// What a gate is looked through for, and what is looked through.
#[derive(Default)]
pub(crate) struct Sweep {
    secrets: Mutex<BTreeSet<String>>,
    heard: Mutex<Vec<(String, String)>>,
}

impl Sweep {
    /// Something that must be nowhere.
    pub(crate) fn secret(&self, secret: &str) {
        if secret.len() >= BYTES_MIN {
            self.secrets.lock().unwrap().insert(secret.to_owned());
        }
    }

    /// A request's head.
    pub(super) fn sent(&self, headers: &HeaderMap) {
        for credential in headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()) {
            self.secret(credential.split_once(' ').map_or(credential, |(_, token)| token));
        }
        for cookies in headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            cookies.split("; ").filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| self.secret(value));
        }
    }

    /// An answer.
    pub(super) fn heard(&self, target: &str, heard: &Heard) {
        for cookie in heard.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let value = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            value.into_iter().for_each(|(_, value)| self.secret(value));
        }
        let location = heard.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        if let Some(url) = location.and_then(|location| Url::parse(location).ok()) {
            url.query_pairs().filter(|(name, _)| name == "code").for_each(|(_, code)| self.secret(&code));
        }
        let answer = heard.json();
        if GIVERS.iter().any(|giver| target.starts_with(giver)) {
            MEMBERS.iter().filter_map(|name| answer[*name].as_str()).for_each(|token| self.secret(token));
            return;
        }
        let mut shown = heard.text();
        for (name, value) in
            heard.headers.iter().filter(|(name, _)| ![header::SET_COOKIE, header::LOCATION].contains(name))
        {
            shown.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        self.heard
            .lock()
            .unwrap()
            .push((format!("the answer at {}", target.split('?').next().unwrap_or_default()), shown));
    }

    /// What a command said.
    pub(super) fn said(&self, words: &[&str], said: &Said) {
        let place = format!("what `portcullis {}` said", words.join(" "));
        self.heard.lock().unwrap().push((place, format!("{}\n{}", said.out, said.err)));
    }

    /// Looks through everything, and through these places besides.
    pub(super) fn finds_nothing(&self, directory: &Path, more: impl IntoIterator<Item = (String, String)>) {
        for folder in ["tokens", "secrets"] {
            for file in fs::read_dir(directory.join(folder)).into_iter().flatten().flatten() {
                // What is no text is no secret of a test's.
                let text = fs::read_to_string(file.path()).unwrap_or_default();
                if !text.contains("-----BEGIN") {
                    self.secret(text.trim());
                }
            }
        }
        let secrets = self.secrets.lock().unwrap();
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        for (place, text) in heard.into_iter().chain(more) {
            for secret in secrets.iter() {
                assert!(!text.contains(secret.as_str()), "{place} holds the secret `{secret}`");
            }
        }
    }
}
