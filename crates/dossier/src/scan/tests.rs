use super::*;

fn examined(files: &[(&str, &str)]) -> Examination {
    let file = |text: &str| File { bytes: 0, content: Some(text.as_bytes().to_vec()) };
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
    examine_contents("x.tgz", &Contents { files, ..Contents::default() }, &Beside::default(), &mut |_| {})
}

const HONEST: &str =
    r#"{ "name": "acme-tickets", "version": "1.0.0", "license": "MIT", "repository": "github:acme/tickets" }"#;

#[test]
fn an_honest_server_has_nothing_to_its_disfavour() {
    let server = "import { Server } from '@modelcontextprotocol/sdk';\nconst answer = await fetch('https://api.acme.example/');\n";
    let found = examined(&[("package/package.json", HONEST), ("package/index.js", server)]);
    assert_eq!((found.findings.as_slice(), found.points(), found.sources), ([].as_slice(), 0, 1));
    assert_eq!(found.metadata.name.as_deref(), Some("acme-tickets"));
}

#[test]
fn what_is_seen_names_file_and_line_and_counts_once_for_each_rule() {
    let code = "import { exec } from 'child_process';\n\nexec(`a ${x}`);\nexec(`b ${x}`);\nread('~/.ssh/id_rsa');\n";
    let package = HONEST.replace("\"1.0.0\"", "\"1.0.0\", \"scripts\": { \"postinstall\": \"node x.js\" }");
    let found = examined(&[("package/package.json", &package), ("package/x.js", code)]);
    let seen: Vec<_> = found.findings.iter().map(|one| (one.rule.as_str(), one.file.as_str(), one.line)).collect();
    assert_eq!(
        seen,
        [
            ("reads-keys", "package/x.js", Some(5)),
            ("runs-at-installation", "", None),
            ("javascript-shell", "package/x.js", Some(3)),
            ("javascript-shell", "package/x.js", Some(4)),
        ]
    );
    let score: Vec<_> = found.score.iter().map(|point| point.points).collect();
    assert_eq!((score.as_slice(), found.points()), ([25, 25, 8].as_slice(), 58));
    assert!(found.score[2].why.ends_with("(2 places)"), "{:?}", found.score);
}

#[test]
fn a_rule_that_sees_much_lists_little_and_says_how_much_more() {
    let code = "eval(x)\n".repeat(100);
    let found = examined(&[("a.py", &code), ("b.py", &code)]);
    assert_eq!(found.findings.len(), limits::PACKAGE_SIGHTS_LISTED);
    assert!(found.unlisted["python-evaluates"] >= limits::PACKAGE_SIGHTS_LISTED);
}

#[test]
fn what_is_more_severe_is_listed_and_counts_however_much_of_its_rule_came_before() {
    let found = examined(&[("a/vendor/a.py", &"eval(x)\n".repeat(100)), ("z.py", "eval(x)\n")]);
    let own = examined(&[("z.py", "eval(x)\n")]);
    assert_eq!(found.findings.len(), limits::PACKAGE_SIGHTS_LISTED);
    assert_eq!((found.findings.first(), found.points()), (own.findings.first(), own.points()));
}

#[test]
fn a_name_that_resembles_a_known_one_and_a_dependency_from_elsewhere_are_told() {
    let package = r#"{ "name": "mcp-remtoe", "license": "MIT", "repository": "x", "dependencies": { "a": "git+https://x.example/a" } }"#;
    let found = examined(&[("package/package.json", package)]);
    let rules: Vec<_> = found.findings.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["nearly-a-known-name", "from-elsewhere"]);
}

#[test]
fn an_excerpt_is_one_short_line_without_what_is_not_seen() {
    let code = format!("exec(code{}\u{202e}\n\n)", "x".repeat(1000));
    let found = examined(&[("a.py", &code)]);
    let excerpt = &found.findings.iter().find(|one| one.rule == "python-evaluates").unwrap().excerpt;
    assert!(excerpt.chars().count() <= limits::SOURCE_EXCERPT_CHARS_MAX && !excerpt.contains(['\n', '\u{202e}']));
}

#[test]
fn an_advisory_that_appears_later_is_told_once_as_new() {
    let advisory = |id: &str| {
        let range = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]"#;
        let package = r#""package":{"ecosystem":"npm","name":"lodash"}"#;
        format!(r#"{{"id":"{id}","summary":"pollutes","affected":[{{{package},{range}}}]}}"#)
    };
    let index = |ids: &[&str]| {
        let mut importer = crate::advisories::Importer::default();
        ids.iter().for_each(|id| importer.advisory(advisory(id).as_bytes()).unwrap());
        importer.index(0)
    };
    let package = HONEST.replace("\"1.0.0\"", "\"1.0.0\", \"dependencies\": { \"lodash\": \"4.17.20\" }");
    let mut found = examined(&[("package/package.json", &package)]);
    assert_eq!((found.compared.clone(), found.points()), (None, 0));
    let new = |found: &mut Examination, bytes: &[u8]| -> Vec<String> {
        found.compare(&Index::new(bytes).unwrap()).into_iter().map(|one| one.id).collect()
    };
    assert_eq!(new(&mut found, &index(&[])), [""; 0]);
    assert_eq!(new(&mut found, &index(&["GHSA-1"])), ["GHSA-1"]);
    assert_eq!(found.findings[0].excerpt, "pkg:npm/lodash@4.17.20: GHSA-1 pollutes; mended in 4.17.21");
    assert_eq!(new(&mut found, &index(&["GHSA-1", "GHSA-2"])), ["GHSA-2"]);
    assert_eq!(found.points(), 8, "a rule counts once");
    assert_eq!(new(&mut found, &index(&[])), [""; 0]);
    assert_eq!(found.points(), 0, "and one that is withdrawn no more");
    let many: Vec<String> = (0..9).map(|number| format!("GHSA-{number}")).collect();
    found.compare(&Index::new(&index(&many.iter().map(String::as_str).collect::<Vec<_>>())).unwrap());
    assert_eq!((found.findings.len(), found.unlisted["known-weakness"]), (5, 4));
}

#[test]
fn a_bill_of_materials_lists_what_runs_and_what_is_wrong_with_it() {
    let package = HONEST.replace("\"1.0.0\"", "\"1.0.0\", \"dependencies\": { \"a\": \"^1\", \"b\": \"2.0.0\" }");
    let found = examined(&[("package/package.json", &package)]);
    let bill = crate::cyclone_dx(&found);
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert_eq!(bill["metadata"]["component"]["purl"], "pkg:npm/acme-tickets@1.0.0");
    let names: Vec<_> =
        bill["components"].as_array().unwrap().iter().map(|one| one["purl"].as_str().unwrap()).collect();
    assert_eq!(names, ["pkg:npm/a", "pkg:npm/b@2.0.0"]);
    assert_eq!(bill["dependencies"][0]["ref"], bill["metadata"]["component"]["bom-ref"]);
}

#[test]
fn a_package_that_says_it_comes_from_elsewhere_is_told() {
    let package: &[u8] = include_bytes!("../../samples/gitlab_oidc_project-0.0.3.tar.gz");
    let attestation = include_str!("../../samples/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation");
    let beside = Beside { attestations: vec![attestation.to_owned()], ..Beside::default() };
    let mut found = examine("x.tar.gz", package, &beside, &mut |_| {}).unwrap();
    let told = |found: &Examination| found.findings.iter().filter(|one| one.rule == "built-elsewhere").count();
    // It was published from a fork.
    assert_eq!(told(&found), 1, "{:?}", found.findings);
    for same in [
        "git+ssh://git@gitlab.com/facutuesca/gitlab-oidc-project.git",
        "gitlab:facutuesca/gitlab-oidc-project",
        "git@gitlab.com:facutuesca/gitlab-oidc-project.git",
        "https://GitLab.com/facutuesca/gitlab-oidc-project/tree/main#readme",
        "on a disk somewhere",
    ] {
        found.metadata.repository = Some(same.to_owned());
        found.verify(None);
        assert_eq!(told(&found), 0, "{same}");
    }
}
