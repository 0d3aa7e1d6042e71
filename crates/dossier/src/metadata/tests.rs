use super::*;
use crate::archive::File;

fn contents(files: &[(&str, &str)]) -> Contents {
    let file = |text: &str| File { bytes: 0, content: Some(text.as_bytes().to_vec()) };
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
    Contents { files, ..Contents::default() }
}

#[test]
fn each_form_says_its_name_and_what_it_needs() {
    let npm = r#"{ "name": "@acme/x", "version": "1.0.0", "license": "MIT", "repository": { "url": "git+https://x.example/y" },
        "dependencies": { "zod": "^3" }, "scripts": { "postinstall": "node go.js", "prepare": "tsc", "test": "jest" } }"#;
    let read_ = |files: &[(&str, &str)]| read(&contents(files));
    let metadata = read_(&[("package/package.json", npm), ("package/index.js", "")]);
    assert_eq!((metadata.form, metadata.name.as_deref()), (Form::Npm, Some("@acme/x")));
    assert_eq!(metadata.dependencies["zod"], "^3");
    assert_eq!(metadata.at_installation.len(), 1, "{metadata:?}");
    assert_eq!(metadata.at_installation["postinstall"], "node go.js");

    let info = "Metadata-Version: 2.1\nName: mcp-x\nVersion: 0.2\nProject-URL: Source, https://x.example/y\n\
                Requires-Dist: httpx>=0.27\nRequires-Dist: pytest ; extra == 'dev'\n\nName: not this\n";
    let wheel = read_(&[("mcp_x/a.py", ""), ("mcp_x-0.2.dist-info/METADATA", info)]);
    assert_eq!(
        (wheel.form, wheel.name.as_deref(), wheel.version.as_deref()),
        (Form::Wheel, Some("mcp-x"), Some("0.2"))
    );
    assert_eq!(wheel.dependencies.into_iter().collect::<Vec<_>>(), [("httpx".to_owned(), ">=0.27".to_owned())]);
    assert_eq!(wheel.repository.as_deref(), Some("https://x.example/y"));

    let source = read_(&[("mcp-x-0.2/PKG-INFO", info), ("mcp-x-0.2/setup.py", "")]);
    assert_eq!((source.form, source.at_installation["build"].as_str()), (Form::PythonSource, "setup.py"));
    let bundle = read_(&[("manifest.json", r#"{ "name": "b", "version": "1", "server": { "type": "node" } }"#)]);
    assert_eq!((bundle.form, bundle.name.as_deref()), (Form::Bundle, Some("b")));
    let cargo = "[package]\nname = \"c\"\nversion = \"1.0.0\"\n[dependencies]\nserde = { version = \"1\" }\n";
    let cargo = read_(&[("c-1.0.0/Cargo.toml", cargo), ("c-1.0.0/build.rs", "")]);
    assert_eq!((cargo.form, cargo.dependencies["serde"].as_str()), (Form::Crate, "1"));
}

#[test]
fn what_is_malformed_is_told_and_hurts_nobody() {
    let deep = "[".repeat(100_000);
    for files in [
        [("package/package.json", "{ oh")],
        [("package/package.json", deep.as_str())],
        [("x.dist-info/METADATA", "")],
        [("c/Cargo.toml", "= = =")],
        [("manifest.json", "{ \"server\": ")],
    ] {
        assert!(read(&contents(&files)).malformed.is_some(), "{files:?}");
    }
    let odd = read(&contents(&[("package/package.json", r#"{ "name": 7, "dependencies": [], "scripts": "x" }"#)]));
    assert_eq!((odd.name, odd.dependencies.len()), (None, 0));
    assert_eq!(read(&Contents::default()).form, Form::Files);
}
