//! Where keys and passwords lie, and what lies there in a jail: nothing that opens anything.

use sandbox::JAIL_HOME;

/// Where, and what is there. The last says whether installers look there by themselves.
const FILES: [(&str, &str, bool); 17] = [
    (".ssh/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\nbait\n-----END OPENSSH PRIVATE KEY-----\n", false),
    (".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nbait\n-----END OPENSSH PRIVATE KEY-----\n", false),
    (".aws/credentials", "[default]\naws_access_key_id = BAIT\naws_secret_access_key = bait\n", false),
    (".config/gcloud/application_default_credentials.json", "{ \"refresh_token\": \"bait\" }\n", false),
    (".azure/msal_token_cache.json", "{ \"AccessToken\": {} }\n", false),
    (".kube/config", "apiVersion: v1\nusers: [{ name: bait, user: { token: bait } }]\n", false),
    (".docker/config.json", "{ \"auths\": { \"registry.invalid\": { \"auth\": \"YmFpdDpiYWl0\" } } }\n", false),
    (".git-credentials", "https://bait:bait@git.invalid\n", false),
    (".config/gh/hosts.yml", "github.com:\n    oauth_token: bait\n", false),
    (".gnupg/secring.gpg", "bait\n", false),
    (".bash_history", "export TOKEN=bait\n", false),
    (".config/google-chrome/Default/Login Data", "SQLite format 3\u{0}bait\n", false),
    (".mozilla/firefox/bait.default/logins.json", "{ \"logins\": [] }\n", false),
    (".config/solana/id.json", "[0,0,0,0]\n", false),
    (".npmrc", "//registry.invalid/:_authToken=bait\n", true),
    (".pypirc", "[pypi]\nusername = __token__\npassword = bait\n", true),
    (".netrc", "machine git.invalid login bait password bait\n", true),
];

/// The files, by where they are found.
pub(super) fn files() -> impl Iterator<Item = (String, String)> {
    FILES.iter().map(|(place, content, _)| (format!("{JAIL_HOME}/{place}"), (*content).to_owned()))
}

/// Whether installers look there by themselves, whatever they install.
pub(super) fn is_usual(place: &str) -> bool {
    FILES.iter().any(|(known, _, usual)| *usual && place.ends_with(known))
}
