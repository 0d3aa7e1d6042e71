//! Mistakes in settings, told at file, line and column with what to do about them: the exact words.

use std::fs;

use super::refuses_to_start;
use crate::gate::files::write_private;

/// A right settings file; each mistake changes one thing in it.
const RIGHT: &str = r#"[agents]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[data]
directory = "data"

[[development.token]]
token = "file:token"
agent = "helpdesk"
kind = "delegated"
user = "ana"
groups = ["support"]

[[admin.token]]
name = "carol"
roles = ["approver"]
token = "file:carol"
"#;

/// What is right, what is written instead, and where and what the gate says it is.
const MISTAKES: [(&str, &str, &str); 39] = [
    (
        "[agents]",
        "[agent]",
        "1:2: unknown field `agent`, expected one of `agents`, `admin`, `data`, `development`, `issuer`, `pins`, \
         `vetting`, `trials`, `inspection`, `vault`, `catalogue`, `sign_in`, `people` (did you mean \
         `agents`?)",
    ),
    ("[data]\ndirectory = \"data\"\n", "", "1:1: missing field `data` (add the table `[data]`)"),
    ("directory = \"data\"", "", "7:1: missing field `directory` (add `directory = …`)"),
    (
        "directory = \"data\"",
        "directroy = \"data\"",
        "8:1: unknown field `directroy`, expected `directory` (did you mean `directory`?)",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"localhost:0\"",
        "2:10: invalid socket address syntax (write an address and a port, such as `127.0.0.1:8080`)",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = 8080",
        "2:10: invalid type: integer `8080`, expected socket address (write it as a text: `\"127.0.0.1:8080\"`)",
    ),
    ("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:0", "2:22: invalid basic string, expected `\"`"),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"127.0.0.1:0\"\nlisten = \"127.0.0.1:1\"",
        "3:1: duplicate key (say it once)",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"0.0.0.0:0\"",
        "2:10: development tokens are accepted only while every listener is on loopback (listen on 127.0.0.1, or \
         remove every [[development.token]])",
    ),
    (
        "[[development.token]]",
        "[development.token]",
        "10:1: invalid type: map, expected a sequence (write the heading in double brackets: `[[…]]`)",
    ),
    (
        "kind = \"delegated\"",
        "kind = \"delegate\"",
        "13:8: unknown variant `delegate`, expected `delegated` or `autonomous` (did you mean `delegated`?)",
    ),
    (
        "agent = \"helpdesk\"",
        "agent = \"help\\u0000desk\"",
        "12:9: `help�desk` is no agent id: use 1 to 256 bytes without control characters",
    ),
    (
        "user = \"ana\"\n",
        "",
        "13:8: the token of agent `helpdesk`: a delegated agent needs a `user`; an autonomous one has neither `user` \
         nor `groups`",
    ),
    (
        "user = \"ana\"",
        "users = \"ana\"",
        "14:1: unknown field `users`, expected one of `token`, `agent`, `kind`, `user`, `groups` (did you mean \
         `user`?)",
    ),
    (
        "groups = [\"support\"]",
        "groups = \"support\"",
        "15:10: invalid type: string, expected a sequence (write a list: `[…]`)",
    ),
    (
        "token = \"file:token\"",
        "token = \"hunter2-hunter2-hunter2-hunter2\"",
        "11:9: a secret is named as `env:NAME` or `file:PATH`, never written out",
    ),
    (
        "token = \"file:token\"",
        "token = \"file:nowhere\"",
        "11:9: the secret file `DIR/nowhere` cannot be read: No such file or directory (os error 2) (make the file, \
         for its owner alone: `chmod 600`)",
    ),
    (
        "token = \"file:token\"",
        "token = \"env:PORTCULLIS_TEST_UNSET\"",
        "11:9: the environment variable `PORTCULLIS_TEST_UNSET` is not set (set it where the gate is started, or use \
         `file:PATH`)",
    ),
    (
        "token = \"file:token\"",
        "token = \"file:short\"",
        "11:9: the token of agent `helpdesk` is shorter than 26 bytes (`openssl rand -hex 32` makes a good one)",
    ),
    (
        "token = \"file:carol\"",
        "token = \"file:short\"",
        "20:9: the token named `carol` has not 32 to 8192 bytes (`openssl rand -hex 32` makes a good one)",
    ),
    (
        "roles = [\"approver\"]",
        "roles = [\"aprover\"]",
        "19:10: unknown variant `aprover`, expected one of `reporter`, `viewer`, `auditor`, `reviewer`, `approver`, \
         `responder`, `admin` (did you mean `approver`?)",
    ),
    ("name = \"carol\"", "name = \"bootstrap\"", "18:8: the name `bootstrap` is taken (choose another name)"),
    (
        "[admin]",
        "scopes = [\"offline_access\"]\n[admin]",
        "4:10: scopes are words without spaces, quotes and backslashes, and `offline_access` is for clients to ask",
    ),
    (
        "[admin]",
        "public_url = \"https://gate.example\"\n[[issuer]]\nurl = \"http://login.example\"\n[admin]",
        "6:7: `login.example` is not asked without TLS (write an `https` URL; a plain one is asked on loopback alone, \
         with `networks = [\"127.0.0.1/32\"]`)",
    ),
    (
        "[admin]",
        "public_url = \"https://gate.example\"\n[[issuer]]\nurl = \"https://login.example\"\n\
         algorithms = [\"ES256\", \"HS256\"]\n[admin]",
        "7:24: unknown variant `HS256`, expected one of `ES256`, `ES384`, `ES512`, `EdDSA`, `PS256`, `PS384`, `PS512`, \
         `RS256`, `RS384`, `RS512` (did you mean `ES256`?)",
    ),
    (
        "[admin]",
        "public_url = \"https://gate.example\"\n[[issuer]]\nurl = \"https://login.example\"\n\
         clock_skew_seconds = 3600\n[admin]",
        "7:22: this may be 300 at most",
    ),
    (
        "[admin]",
        "public_url = \"https://gate.example\"\n[[issuer]]\nurl = \"https://a.example\"\n[[issuer]]\n\
         url = \"https://a.example\"\n[admin]",
        "8:7: issuer `https://a.example` is there already",
    ),
    (
        "[admin]",
        "public_url = \"https://gate.example\"\n[[issuer]]\nurl = \"https://a.example\"\n[[issuer]]\n\
         url = \"https://b.example\"\nclaims = { user_prefix = \"b:\" }\n[admin]",
        "9:26: people of this issuer could not be told from those of `https://a.example` (give both a `user_prefix` in \
         `[issuer.claims]`, neither of which begins the other)",
    ),
    ("[agents]", "[pins]\ncheck_seconds = 0\n\n[agents]", "2:17: this must be at least 1"),
    (
        "[agents]",
        "[pins]\ncheck_second = 5\n\n[agents]",
        "2:1: unknown field `check_second`, expected `check_seconds` (did you mean `check_seconds`?)",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"127.0.0.1:0\"\npublic_url = \"https://gate.example/\"",
        "3:14: `https://gate.example/` is not what browsers call a host: no path, and no `/` at its end (write \
         `https://gate.example`; plain `http` is for loopback)",
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"127.0.0.1:0\"\nclient_document = \"http://www.example/gate.json\"",
        "3:19: `http://www.example/gate.json` is no `https` URL with a path, and nothing behind that (write the URL at which \
         the document is published, such as `https://www.example/portcullis.json`)",
    ),
    (
        "[agents]",
        "[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\n[agents]",
        "1:1: what the gate keeps of sign-ins is sealed by a vault, and there is none (add the table `[vault]` with \
         `key = \"file:PATH\"`; `openssl rand -hex 32` makes one)",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"http://id.example\"\nclient_id = \"gate\"\n\n[agents]",
        "4:10: `http://id.example` is no issuer (write the URL as the provider's metadata do, with `https`)",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\
         skew_seconds = 3600\n\n[agents]",
        "6:16: this must be from 0 to 300",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\
         algorithms = [\"HS256\"]\n\n[agents]",
        "6:15: unknown variant `HS256`, expected one of `ES256`, `ES384`, `ES512`, `EdDSA`, `PS256`, `PS384`, `PS512`, \
         `RS256`, `RS384`, `RS512` (did you mean `ES256`?)",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\
         documents = [{ host = \"*.example\", client = \"any\" }]\n\n[agents]",
        "6:23: `*.example` is no host's exact name (write a name such as `clients.example`)",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\
         authentication = \"client_secret_post\"\n\n[agents]",
        "6:18: there is no `client_secret` to be shown (add `client_secret = \"file:PATH\"`)",
    ),
    (
        "[agents]",
        "[vault]\nkey = \"file:token\"\n[sign_in]\nissuer = \"https://id.example\"\nclient_id = \"gate\"\n\n[agents]",
        "2:7: a master key is 64 hexadecimal digits: `openssl rand -hex 32` makes one",
    ),
];

#[tokio::test]
async fn every_mistake_is_told_with_its_place_and_a_hint() {
    let folder = tempfile::Builder::new().prefix("portcullis-it-").tempdir().unwrap();
    let directory = folder.path();
    write_private(&directory.join("token"), "token-of-caller-0123456789abcdef");
    write_private(&directory.join("carol"), "token-of-carol-0123456789abcdef0123456789");
    write_private(&directory.join("short"), "short");
    let mut wrong = Vec::new();
    for (right, mistake, told) in MISTAKES {
        assert!(RIGHT.contains(right), "`{right}`");
        fs::write(directory.join("portcullis.toml"), RIGHT.replacen(right, mistake, 1)).unwrap();
        let said = refuses_to_start(directory).await;
        assert!(!said.contains("hunter2"), "a token in the wrong place is not repeated: {said}");
        if said != format!("error: DIR/portcullis.toml:{told}") {
            wrong.push(format!("{mistake:?}\n  said {said:?}\n  not  {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!directory.join("data/journal").exists(), "nothing was begun");
}
