use model::limits;
use upstream::Revision;

use super::*;

fn server(more: &str) -> Result<ServerManifest, Mistake> {
    parse("crm.toml", &format!("name = \"crm\"\nowner = \"sales\"\npurpose = \"customers\"\n{more}"))
}

#[test]
fn a_server_is_on_the_internet_unless_it_says_otherwise() {
    let manifest = server("url = \"https://crm.example/mcp\"").unwrap();
    let address = manifest.address().unwrap();
    assert_eq!((address.zone.as_str(), address.url.as_str()), ("internet", "https://crm.example/mcp"));
    assert_eq!(manifest.command(), None);
}

#[test]
fn a_credential_is_a_bearer_token_unless_it_says_otherwise() {
    let credential = |more: &str| {
        let text = format!("url = \"https://crm.example/\"\n[credential]\nsecret = \"env:CRM\"\n{more}");
        server(&text).unwrap().address().unwrap().credential.clone().unwrap()
    };
    let told = |credential: &Credential| match credential {
        Credential::Key(key) => (key.header.as_str().to_owned(), key.scheme().map(str::to_owned)),
        Credential::Grant(_) => panic!("a grant"),
    };
    assert_eq!(told(&credential("")), ("authorization".into(), Some("Bearer".into())));
    assert_eq!(told(&credential("header = \"X-Api-Key\"")), ("x-api-key".into(), None));
    assert_eq!(told(&credential("scheme = \"Token\"")), ("authorization".into(), Some("Token".into())));
}

#[test]
fn a_url_that_two_readers_could_read_differently_is_refused() {
    for url in [
        "ftp://crm.example/",
        "https://user@crm.example/",
        "https://:pass@crm.example/",
        "https://crm.example/#part",
        "https://crm.example\\\\@evil.example/",
        "https:///path",
        "https:crm.example",
        "http://0x7f.1/",
        "http://2130706433/",
        "https://crm example/",
        "crm.example",
        "https://crm.example/\\tmcp",
    ] {
        assert!(server(&format!("url = \"{url}\"")).is_err(), "{url}");
    }
    for (url, normalised) in [
        ("HTTPS://CRM.example", "https://crm.example/"),
        ("http://127.0.0.1:8080/mcp?x=1", "http://127.0.0.1:8080/mcp?x=1"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080/mcp"),
    ] {
        assert_eq!(server(&format!("url = \"{url}\"")).unwrap().address().unwrap().url.as_str(), normalised);
    }
}

#[test]
fn headers_that_mean_something_else_carry_no_credential() {
    for header in ["host", "Content-Length", "mcp-name", "transfer-encoding", "x y", ""] {
        let text =
            format!("url = \"https://c.example/\"\ncredential = {{ secret = \"env:A\", header = \"{header}\" }}");
        assert!(server(&text).is_err(), "{header}");
    }
}

#[test]
fn the_identity_is_the_url_the_zone_and_the_credential() {
    let plain = server("url = \"https://c.example/\"").unwrap();
    let credential = |secret: &str| {
        server(&format!("url = \"https://c.example/\"\ncredential = {{ secret = \"{secret}\" }}")).unwrap().identity()
    };
    let retitled = server("url = \"https://C.example\"\ntitle = \"The CRM\"").unwrap();
    assert_eq!(plain.identity(), retitled.identity());
    let others = [
        server("url = \"https://d.example/\"").unwrap().identity(),
        server("url = \"https://c.example/\"\nzone = \"office\"").unwrap().identity(),
        credential("env:A"),
        credential("env:B"),
    ];
    for other in others {
        assert_ne!(plain.identity(), other);
    }
    assert_ne!(credential("env:A"), credential("env:B"), "another secret must not go to the same server unseen");
}

#[test]
fn the_zone_internet_cannot_be_declared() {
    let zone = |name: &str| {
        let text = format!("name = \"{name}\"\naddresses = [\"127.0.0.0/8\"]\npurpose = \"tests\"");
        parse::<ZoneManifest>("zone.toml", &text)
    };
    assert!(zone("loopback").is_ok());
    let mistake = zone("internet").unwrap_err();
    assert_eq!((mistake.line, mistake.column), (1, 8));
    assert!(parse::<ZoneManifest>("z", "name = \"a\"\naddresses = [\"10.0.0.0/33\"]\npurpose = \"p\"").is_err());
}

#[test]
fn lines_of_prose_are_lines() {
    for owner in ["", " ", "a\\nb", "a\\u001b[31mb"] {
        let text = format!("name = \"c\"\nurl = \"https://c.example/\"\npurpose = \"p\"\nowner = \"{owner}\"");
        assert!(parse::<ServerManifest>("c.toml", &text).is_err(), "{owner:?}");
    }
}

#[test]
fn a_manifest_survives_being_stored() {
    let manifest = server("url = \"https://c.example/\"\ncredential = { secret = \"file:/run/secret\" }").unwrap();
    let stored = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<ServerManifest>(&stored).unwrap(), manifest);
}

const COMMAND: &str = "[command]\nprogram = \"/usr/local/bin/crm-mcp\"\narguments = [\"--stdio\", \"a b\"]\n\
                       directory = \"/srv/crm\"\n[command.environment]\nLOG_LEVEL = \"info\"\n\
                       [command.secrets]\nCRM_TOKEN = \"env:CRM\"\n[command.limits]\nmemory_bytes = 536870912\n";

fn told(more: &str) -> (usize, usize, String) {
    let mistake = server(more).unwrap_err();
    (mistake.line, mistake.column, mistake.message)
}

#[test]
fn a_local_server_is_a_command_with_everything_it_is_given() {
    let manifest = server(COMMAND).unwrap();
    let command = manifest.command().unwrap();
    assert_eq!(command.program.as_str(), "/usr/local/bin/crm-mcp");
    assert_eq!(command.arguments.iter().collect::<Vec<_>>(), ["--stdio", "a b"]);
    assert_eq!(command.secrets.values().map(ToString::to_string).collect::<Vec<_>>(), ["env:CRM"]);
    assert_eq!(command.limits.memory_bytes(), 512 * 1024 * 1024);
    assert_eq!(command.limits.processes(), limits::LOCAL_PROCESSES);
    assert!(manifest.address().is_none() && manifest.is_trusted_by_looking());
    let bare = server("[command]\nprogram = \"npx\"\n").unwrap();
    assert!(bare.command().unwrap().arguments.is_empty());
}

#[test]
fn what_does_not_go_with_a_command_is_told_at_its_line_and_why() {
    let (line, column, message) = told(&format!("zone = \"office\"\n{COMMAND}"));
    assert_eq!((line, column), (4, 1));
    assert!(message.starts_with("`zone`: a zone says where a url may lead"), "{message}");
    let (line, _, message) = told(&format!("{COMMAND}[credential]\nsecret = \"env:A\"\n"));
    assert_eq!(line, 14, "{message}");
    assert!(message.contains("`[command.secrets]`"), "{message}");
    let (line, _, message) = told(&format!("url = \"https://c.example/\"\n{COMMAND}"));
    assert!(line == 4 && message.contains("not both"), "{message}");
    let (line, column, message) = told("");
    assert!((line, column) == (1, 1) && message.contains("say where the server is"), "{message}");
}

#[test]
fn mistakes_in_a_command_are_told_where_they_are() {
    for (more, line, words) in [
        ("[command]\nprogram = \"./crm\"", 5, "name a program by its absolute path"),
        ("[command]\nprogram = \"crm\"\narguments = [\"a\", \"b\\u0000\"]", 6, "without control characters"),
        ("[command]\nprogram = \"crm\"\ndirectory = \"srv\"", 6, "name a directory"),
        ("[command]\nprogram = \"crm\"\nshell = true", 6, "unknown field `shell`"),
        (
            "[command]\nprogram = \"crm\"\n[command.environment]\nA = \"1\"\nLD_PRELOAD = \"/x.so\"",
            8,
            "steer the loading",
        ),
        ("[command]\nprogram = \"crm\"\n[command.environment]\nA = 1", 7, "expected a string"),
        (
            "[command]\nprogram = \"crm\"\n[command.environment]\nA = \"1\"\nX_TOKEN = \"hunter2\"",
            8,
            "this is a secret",
        ),
        ("[command]\nprogram = \"crm\"\n[command.secrets]\nA = \"env:A\"\nX = \"hunter2\"", 8, "never written out"),
        (
            "[command]\nprogram = \"crm\"\nenvironment = { A = \"1\" }\n[command.secrets]\nA = \"env:A\"",
            8,
            "give it once",
        ),
        ("[command]\nprogram = \"crm\"\n[command.limits]\nprocesses = 0", 7, "use a number from 1 to"),
        ("[command]\nprogram = \"crm\"\n[command.limits]\nmemory = 1", 7, "unknown field `memory`"),
        ("[command]\narguments = []", 4, "missing field `program`"),
    ] {
        let (found, _, message) = told(more);
        assert!(found == line && message.contains(words), "{more}\n{found}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let many = vec!["\"a\""; limits::COMMAND_ARGUMENTS_MAX + 1].join(",");
    assert!(told(&format!("[command]\nprogram = \"crm\"\narguments = [{many}]")).2.contains("at most"));
    let many: String = (0..=limits::COMMAND_VARIABLES_MAX).map(|number| format!("A{number} = \"1\"\n")).collect();
    assert!(told(&format!("[command]\nprogram = \"crm\"\n[command.environment]\n{many}")).2.contains("at most"));
}

#[test]
fn the_identity_of_a_local_server_is_its_whole_command() {
    let identity = |text: &str| server(text).unwrap().identity();
    assert_eq!(identity(COMMAND), identity(&format!("title = \"The CRM\"\n{COMMAND}")));
    for (from, to) in [
        ("crm-mcp", "crm-mcp2"),
        ("\"a b\"", "\"a\", \"b\""),
        ("/srv/crm", "/srv/crm2"),
        ("\"info\"", "\"debug\""),
        ("LOG_LEVEL", "LOG"),
        ("env:CRM", "env:OTHER"),
        ("CRM_TOKEN", "TOKEN"),
        ("536870912", "536870913"),
    ] {
        let other = COMMAND.replacen(from, to, 1);
        assert_ne!(other, COMMAND);
        assert_ne!(identity(&other), identity(COMMAND), "{from}");
    }
    let moved = COMMAND
        .replace("[command.secrets]\nCRM_TOKEN = \"env:CRM\"", "[command.secrets]")
        .replace("LOG_LEVEL = \"info\"", "LOG_LEVEL = \"info\"\nCRM = \"env:CRM\"");
    assert_ne!(identity(&moved), identity(COMMAND));
}

#[test]
fn a_server_says_how_many_calls_it_may_have_at_once() {
    let said = |more: &str| server(&format!("url = \"https://crm.example/\"\n{more}")).unwrap();
    assert_eq!(said("").concurrency(), limits::SERVER_CALLS);
    let few = said("concurrency = 4");
    assert_eq!(few.concurrency(), 4);
    assert_eq!(few.identity(), said("").identity(), "it is the same server");
    for (wrong, words) in
        [("0", "from 1 to"), ("1000000", "from 1 to"), ("\"many\"", "expected usize"), ("-1", "expected usize")]
    {
        let (line, _, message) = told(&format!("url = \"https://crm.example/\"\nconcurrency = {wrong}"));
        assert!(line == 5 && message.contains(words), "{line}: {message}");
    }
}

#[test]
fn a_server_that_is_told_who_calls_is_another_one_to_be_approved() {
    let said = |more: &str| server(&format!("url = \"https://crm.example/\"\n{more}")).unwrap();
    let (quiet, told) = (said(""), said("assertion = true"));
    assert_ne!(quiet.identity(), told.identity());
    assert_eq!(quiet.identity(), said("assertion = false").identity());
    assert!(told.address().unwrap().asserted && !quiet.address().unwrap().asserted);
}

fn endpoint(more: &str) -> Result<EndpointManifest, Mistake> {
    parse("sales.toml", &format!("name = \"sales\"\npurpose = \"selling\"\n{more}"))
}

const TWO: &str = "[[servers]]\nname = \"crm\"\ntools = [\"find\"]\nresources = [\"crm://\"]\n\
                   [[servers]]\nname = \"erp\"\nprompts = []\nresources = [\"erp://\", \"file:///srv/erp/\"]\n";

#[test]
fn an_endpoint_is_for_one_server_or_for_several() {
    let one = endpoint("server = \"crm\"\ntools = [\"find\"]").unwrap();
    assert_eq!((one.naming(), one.portions().len()), (Naming::Plain, 1));
    let choice = &one.portions()[0];
    assert!(choice.tools.takes(&"find".parse().unwrap()) && !choice.tools.takes(&"other".parse().unwrap()));
    assert!(choice.prompts.is_all() && choice.prompts.takes(&"any".parse().unwrap()));
    let two = endpoint(TWO).unwrap();
    assert_eq!(two.naming(), Naming::Prefixed);
    assert_eq!(two.servers().map(|name| name.as_str()).collect::<Vec<_>>(), ["crm", "erp"]);
    let erp = &two.portions()[1];
    assert!(erp.tools.is_all() && !erp.prompts.is_all() && !erp.prompts.takes(&"any".parse().unwrap()));
    assert_eq!(two.key_of(&"erp".parse().unwrap()), "servers[1].name");
    assert_eq!((one.minimum_revision, two.minimum_revision), (None, None));
    let oldest = endpoint(&format!("minimum_revision = \"2025-06-18\"\n{TWO}")).unwrap();
    let served: Vec<_> = oldest.revisions().map(Revision::as_str).collect();
    assert_eq!(served, ["2026-07-28", "2025-11-25", "2025-06-18"]);
    assert_eq!(two.revisions().collect::<Vec<_>>(), Revision::SUPPORTED);
    assert_eq!((one.search, two.search), (None, None));
    let searched = endpoint(&format!("search = true\nlisted = [\"crm_find\"]\n{TWO}")).unwrap().search.unwrap();
    assert_eq!(searched.listed, ["crm_find"]);
    assert_eq!(endpoint("server = \"crm\"\nsearch = true").unwrap().search, Some(Search::default()));
    assert_eq!(endpoint("server = \"crm\"\nsearch = false").unwrap().search, None);
}

#[test]
fn mistakes_in_an_endpoint_are_told_where_they_are() {
    for (more, line, words) in [
        ("", 1, "name the server behind it"),
        ("server = \"crm\"\n[[servers]]\nname = \"erp\"", 3, "not both"),
        ("servers = []", 3, "from 1 to"),
        ("tools = [\"a\"]\n[[servers]]\nname = \"erp\"", 3, "choose under the server"),
        ("prompts = [\"a\"]\n[[servers]]\nname = \"erp\"", 3, "choose under the server"),
        ("server = \"crm\"\nresources = [\"crm://\"]", 4, "unknown field `resources`"),
        ("server = \"crm\"\ntools = [\"a\", \"a\"]", 4, "chosen twice"),
        ("[[servers]]\nname = \"crm\"\n[[servers]]\nname = \"erp\"\n[[servers]]\nname = \"crm\"", 8, "named twice"),
        ("[[servers]]\nname = \"crm\"\nresources = [\"crm\"]", 5, "write how the URIs begin"),
        ("[[servers]]\nname = \"crm_x\"", 4, "is no server name"),
        ("minimum_revision = \"2025-06-19\"\nserver = \"crm\"", 3, "2025-06-18, 2025-03-26"),
        ("minimum_revision = 2025\nserver = \"crm\"", 3, "expected a string"),
        ("server = \"crm\"\nlisted = [\"find\"]", 4, "without it, all of them are"),
        ("server = \"crm\"\nsearch = true\nlisted = [\"find\", \"find\"]", 5, "listed twice"),
        ("server = \"crm\"\nsearch = \"yes\"", 4, "expected a boolean"),
        (
            "[[servers]]\nname = \"crm\"\nresources = [\"crm://\"]\n[[servers]]\nname = \"erp\"\n\
             resources = [\"erp://\", \"crm://orders/\"]",
            8,
            "`crm://orders/` of server `erp` overlaps with `crm://` of server `crm`",
        ),
    ] {
        let mistake = endpoint(more).unwrap_err();
        assert!(mistake.line == line && mistake.message.contains(words), "{more}\n{mistake}");
    }
}

#[test]
fn manifests_survive_being_stored_and_being_written_as_toml() {
    for text in [COMMAND, "url = \"https://c.example/\"\nzone = \"lab\"\n[credential]\nsecret = \"env:A\"\n"] {
        let manifest = server(text).unwrap();
        let stored = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<ServerManifest>(&stored).unwrap(), manifest);
        assert_eq!(parse::<ServerManifest>("", &toml::to_string(&manifest).unwrap()).unwrap(), manifest);
    }
    let oldest = "server = \"crm\"\nminimum_revision = \"2025-06-18\"\n";
    let searched = "search = true\nlisted = [\"a\"]\nserver = \"crm\"\n";
    for text in [TWO, oldest, searched, "server = \"crm\"\n", "server = \"crm\"\ntools = []\nprompts = [\"a\"]\n"] {
        let manifest = endpoint(text).unwrap();
        let stored = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<EndpointManifest>(&stored).unwrap(), manifest);
        assert_eq!(parse::<EndpointManifest>("", &toml::to_string(&manifest).unwrap()).unwrap(), manifest);
    }
}

#[test]
fn an_address_keeps_the_identity_it_had_before_there_were_commands() {
    let manifest = server("url = \"https://c.example/\"").unwrap();
    let before = serde_json::json!({ "url": "https://c.example/", "zone": "internet", "credential": null });
    assert_eq!(manifest.identity(), model::Digest::of_json(&before).unwrap());
}

#[test]
fn a_key_is_found_where_it_stands() {
    let text =
        "name = \"a\"\n  server = \"b\"\n# zone = \"c\"\nzones = 1\nzone=\"d\"\n[[list]]\nx = 1\n[[list]]\nx.y = 2\n";
    for (key, at) in [
        ("name", Some(0)),
        ("server", text.find("server")),
        ("zone", text.find("zone=\"d\"")),
        ("list[1].x", text.find("x.y")),
        ("list[1].x.y", text.find("y = 2")),
        ("list[2].x", None),
        ("list.x", None),
        ("name.x", None),
        ("owner", None),
        ("", None),
    ] {
        assert_eq!(offset_of(text, key), at, "{key}");
    }
    assert_eq!(offset_of("= broken", "name"), None);
}

#[test]
fn who_must_have_made_a_package_is_somebody() {
    let package = |text: &str| server(&format!("url = \"https://crm.example/\"\n[package]\n{text}"));
    let digest = "AB".repeat(32);
    let manifest = package(&format!("sha256 = \"sha256:{digest}\"")).unwrap();
    assert_eq!(manifest.package.unwrap().sha256.unwrap().as_str(), digest.to_ascii_lowercase());
    let built = "[package.provenance]\nissuer = \"https://token.example\"\nrepository = \"https://git.example/acme/x\"";
    let manifest = package(built).unwrap();
    let demanded = manifest.package.as_ref().unwrap().provenance.as_ref().unwrap();
    assert!(demanded.required && demanded.strength.is_none());
    let again: ServerManifest = serde_json::from_value(serde_json::to_value(&manifest).unwrap()).unwrap();
    assert_eq!(again, manifest);
    assert!(package("[package.provenance]\nrequired = false").is_ok());
    for (text, why) in [
        ("[package.provenance]", "say who must have made it"),
        ("[package.provenance]\nissuer = \"https://token.example\"", "say who must have made it"),
        ("[package.provenance]\nrepository = \"https://git.example/acme/x\"", "say who vouches"),
        ("[package.provenance]\nstrength = \"best\"", "unknown variant"),
        ("sha256 = \"abc\"", "64 hexadecimal digits"),
    ] {
        let mistake = package(text).unwrap_err().to_string();
        assert!(mistake.contains(why), "{text}: {mistake}");
    }
}
