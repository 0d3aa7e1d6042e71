use super::*;

fn fits<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

#[test]
fn a_program_is_an_absolute_path_or_a_bare_name() {
    for good in ["/usr/bin/crm", "/srv/My App/run.sh", "npx", "python3.12", "g++", "_x"] {
        assert!(fits::<Program>(good), "{good}");
    }
    for bad in [
        "",
        "./crm",
        "../crm",
        "bin/crm",
        "~/crm",
        "/usr/../bin/crm",
        "/usr/./crm",
        "/usr//crm",
        "/usr/bin/",
        "/",
        "-c",
        ".",
        "..",
        "a b",
        "a;b",
        "$(id)",
        "/usr/b\nin",
        "crm\0",
    ] {
        assert!(!fits::<Program>(bad), "{bad:?}");
    }
    assert!(fits::<Directory>("/srv/crm"));
    for bad in ["srv", "crm", "/srv/../etc", ""] {
        assert!(!fits::<Directory>(bad), "{bad}");
    }
}

#[test]
fn an_argument_is_any_text_without_control_characters() {
    assert!(fits::<Argument>("") && fits::<Argument>("--flag=a b; rm -rf / # ä"));
    assert!(!fits::<Argument>("a\0b") && !fits::<Argument>("a\nb") && !fits::<Argument>(&"x".repeat(4097)));
}

#[test]
fn a_variable_that_steers_the_loader_is_none_and_one_that_names_code_is_told() {
    for good in ["LOG_LEVEL", "_x", "a1", "LDAP_URL", "NODE_OPTIONS", "PYTHONPATH", "PATH"] {
        assert!(fits::<Variable>(good), "{good}");
    }
    for bad in ["", "1A", "A-B", "A=B", "A B", "LD_PRELOAD", "ld_preload", "LD_", "DYLD_INSERT_LIBRARIES", "GCONV_PATH"]
    {
        assert!(!fits::<Variable>(bad), "{bad}");
    }
    let names_code = |name: &str| name.parse::<Variable>().unwrap().names_code();
    assert!(names_code("NODE_OPTIONS") && names_code("BASH_ENV") && names_code("PythonPath"));
    assert!(!names_code("LOG_LEVEL"));
}

#[test]
fn a_variable_that_is_named_like_a_secret_is_told_from_one_that_is_not() {
    let secret = |name: &str| name.parse::<Variable>().unwrap().names_a_secret();
    for name in ["CRM_TOKEN", "token", "DB_PASSWORD", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "client_secret"] {
        assert!(secret(name), "{name}");
    }
    for name in ["TOKENIZERS_PARALLELISM", "KEYBOARD", "PUBLIC_KEY_PATH", "SECRET_NAME", "PARTITION_KEY", "MONKEY"] {
        assert!(!secret(name), "{name}");
    }
}

#[test]
fn a_beginning_of_uris_ends_where_a_part_ends() {
    for bad in ["", "crm", "CRM://", "crm://a/../b", "crm://a b", "crm://%41", "crm:\\\\a"] {
        assert!(!fits::<ResourcePrefix>(bad), "{bad}");
    }
    let covers = |prefix: &str, uri: &str| prefix.parse::<ResourcePrefix>().unwrap().covers(uri);
    for (prefix, uri) in [
        ("crm://", "crm://a"),
        ("crm:", "crm:a"),
        ("file:///srv/crm", "file:///srv/crm"),
        ("file:///srv/crm", "file:///srv/crm/notes"),
        ("file:///srv/crm", "file:///srv/crm?x"),
        ("file:///srv/crm/", "file:///srv/crm/notes"),
    ] {
        assert!(covers(prefix, uri), "{prefix} {uri}");
    }
    for (prefix, uri) in [
        ("crm://", "crm2://a"),
        ("crm://", "xcrm://a"),
        ("crm://", "crm:/a"),
        ("file:///srv/crm", "file:///srv/crm-secrets"),
        ("file:///srv/crm/", "file:///srv/crm"),
    ] {
        assert!(!covers(prefix, uri), "{prefix} {uri}");
    }
}

#[test]
fn a_template_is_covered_only_if_whatever_it_expands_to_is() {
    let covers = |prefix: &str, template: &str| prefix.parse::<ResourcePrefix>().unwrap().covers_template(template);
    assert!(covers("crm://", "crm://{id}") && covers("crm://a", "crm://a/{id}") && covers("crm://a", "crm://a"));
    assert!(!covers("crm://a", "crm://a{id}"), "crm://ab is another's");
    assert!(!covers("crm://a", "crm://{id}") && !covers("crm://", "{+uri}") && !covers("crm://a", "crm://ab/{id}"));
}

#[test]
fn two_beginnings_overlap_exactly_if_some_uri_has_both() {
    let prefix = |text: &str| text.parse::<ResourcePrefix>().unwrap();
    let parts = ["a:", "a:b", "a:b/", "a:b/c", "a:bc", "a://", "a://b", "a:b?", "ab:"];
    let uris: Vec<String> =
        parts.iter().flat_map(|part| ["", "/", "c", "/c", "?c", "b/c"].map(|rest| format!("{part}{rest}"))).collect();
    for one in parts.map(prefix) {
        for other in parts.map(prefix) {
            let both = uris.iter().any(|uri| one.covers(uri) && other.covers(uri));
            assert_eq!(one.overlaps(&other), both, "{one} {other}");
        }
    }
}
