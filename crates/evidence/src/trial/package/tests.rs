use std::collections::BTreeMap;

use dossier::archive::File;
use serde_json::json;

use super::*;

fn contents(files: &[(&str, &str)]) -> Contents {
    let file = |text: &str| File { bytes: 0, content: Some(text.as_bytes().to_vec()) };
    let files: BTreeMap<_, _> = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
    Contents { files, ..Contents::default() }
}

#[test]
fn what_a_package_calls_its_program_is_no_command_of_its_own() {
    let described = json!({ "name": "@acme/x", "bin": { "x": "a'; touch gone; '.js" } });
    let start = node(&described);
    assert!(start.contains(r"exec node ./'a'\''; touch gone; '\''.js'"), "{start}");
    assert_eq!(quoted("a\nb"), "'ab'");
}

#[test]
fn a_wheel_is_started_by_what_it_says_its_programs_are() {
    let start = |text: &str| python(&contents(&[("x-1.dist-info/entry_points.txt", text)]), "x-1-py3-none-any.whl");
    let good = start("[other]\na = b:c\n[console_scripts]\nacme-odd = acme_odd.server:main [extra]\n");
    assert!(good.contains("import_module('\\''acme_odd.server'\\'').main()"), "{good}");
    for bad in [
        "",
        "[console_scripts]\n",
        "[console_scripts]\na = b:c'); evil(\n",
        "[console_scripts]\na = os\n[x]\na = b:c\n",
    ] {
        assert!(!start(bad).contains("importlib"), "{bad}");
    }
}

#[test]
fn a_python_package_is_started_by_its_own_programs_and_not_by_those_of_what_it_needs() {
    let wheel = contents(&[("x-1.dist-info/entry_points.txt", "[console_scripts]\nduck = duck.server:main\n")]);
    let start = python(&wheel, "acme_duck-1.2-py3-none-any.whl");
    let own =
        "for program in \"$HOME/tried/bin/\"'duck' \"$HOME/tried/bin/\"'acme_duck' \"$HOME/tried/bin/\"'acme-duck'; do";
    assert!(start.contains(own) && !start.contains("bin/*"), "{start}");

    let source = python(&contents(&[("acme-duck-1.2/setup.py", "")]), "acme-duck-1.2.tar.gz");
    let (own, any) = (source.find("'acme-duck'"), source.find("/tried/bin/*"));
    assert!(own.is_some() && own < any, "{source}");

    let elsewhere =
        python(&contents(&[("x-1.dist-info/entry_points.txt", "[console_scripts]\n../x = a:b\n")]), "x-1.whl");
    assert!(!elsewhere.contains("../x"), "{elsewhere}");
}

#[test]
fn a_bundle_is_started_as_its_manifest_says_on_linux() {
    let start = |server: Value| {
        let whole = json!({ "name": "x", "server": server, "user_config": {
            "folder": { "type": "directory" }, "key": { "type": "string" }, "most": { "type": "number", "default": 5 } } });
        bundle::start(&bundle::manifest(&contents(&[("manifest.json", &whole.to_string())])).unwrap())
    };
    let said = start(json!({ "type": "node", "entry_point": "server/index.js", "mcp_config": { "command": "node",
        "args": ["${__dirname}/server/index.js", "${user_config.folder}", "--most=${user_config.most}", "it's; $(touch x)"],
        "env": { "KEY": "${user_config.key}", "bad name": "x" } } }));
    assert_eq!(
        said,
        "cd ~/tried || exit 1; chmod u+x ./'server/index.js' 2>/dev/null; export KEY='portcullis-no-secret'; \
         exec 'node' '/home/user/tried/server/index.js' '/home/user' '--most=5' 'it'\\''s; $(touch x)'"
    );
    let elsewhere =
        start(json!({ "type": "binary", "entry_point": "x.exe", "mcp_config": { "command": "x.exe", "args": [],
        "platform_overrides": { "linux": { "command": "${__dirname}/x" } } } }));
    assert!(elsewhere.ends_with("exec '/home/user/tried/x'"), "{elsewhere}");
    for (kind, end) in [
        ("node", "exec 'node' '/home/user/tried/a'"),
        ("python", "exec 'python3' '/home/user/tried/a'"),
        ("uv", "exec 'python3' '/home/user/tried/a'"),
        ("binary", "exec '/home/user/tried/a'"),
    ] {
        let said = start(json!({ "type": kind, "entry_point": "a" }));
        assert!(said.ends_with(end), "{said}");
    }
    for none in ["{}", "[]", "{", r#"{ "server": 5 }"#] {
        assert!(bundle::manifest(&contents(&[("manifest.json", none)])).is_none(), "{none}");
    }
}

#[test]
fn what_nobody_can_install_is_refused() {
    assert_eq!(Package::read("x.tgz", b"no archive"), Err(PackageError::Archive(ArchiveError::Unknown)));
    let large = vec![0; limits::TRIAL_PACKAGE_BYTES_MAX + 1];
    assert_eq!(Package::read("x.tgz", &large), Err(PackageError::TooLarge));
}
