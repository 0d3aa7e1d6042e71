use super::*;

fn calls(language: Language, source: &str) -> Vec<String> {
    let facts = facts(language, source).unwrap();
    let shown = |call: &Call| format!("{}:{}{}", call.line, call.name, if call.is_fixed { "" } else { " made" });
    facts.calls.iter().map(shown).collect()
}

#[test]
fn a_call_is_named_by_where_its_function_comes_from() {
    let source = "import os, subprocess as sp\nfrom os import system as go\n# os.system('no')\nos.system('ls')\n\
                  sp.run(['ls', '-l'])\nsp.run(cmd, shell=True)\ngo(f'rm {x}')\n__import__('os').popen('x')\n";
    assert_eq!(
        calls(Language::Python, source),
        ["4:os.system", "5:subprocess.run", "6:subprocess.run made", "7:os.system made", "8:os.popen", "8:__import__",]
    );
    let source = "import { exec as run } from 'node:child_process';\nimport * as fs from \"fs\";\n\
                  const { spawn } = require('child_process'), cp = require(\"node:child_process\");\n\
                  run(`ls ${x}`);\n// eval(x)\nspawn('ls');\ncp.execSync('x');\nfs.readFileSync(p);\nnew Function(body);\n\
                  require('child_process').exec('y');\n/a/.exec(text);\n";
    for language in [Language::JavaScript, Language::TypeScript] {
        let found = calls(language, source);
        for one in [
            "4:child_process.exec made",
            "6:child_process.spawn",
            "7:child_process.execSync",
            "8:fs.readFileSync made",
            "9:Function made",
            "10:child_process.exec",
        ] {
            assert!(found.iter().any(|call| call == one), "{one} is not in {found:?}");
        }
        assert!(!found.iter().any(|call| call.contains("eval")), "a comment is no code");
        assert_eq!(
            found.iter().filter(|call| call.contains("child_process.exec")).count(),
            3,
            "a pattern's is another"
        );
    }
}

#[test]
fn texts_and_imports_are_found_with_their_lines() {
    let found = facts(Language::Python, "import a.b\nx = 'one'\ny = \"\"\"two\nthree\"\"\"\n").unwrap();
    assert_eq!(found.imports, [Placed { text: "a.b".to_owned(), line: 1 }]);
    let texts: Vec<_> = found.strings.iter().map(|one| (one.line, one.text.as_str())).collect();
    assert_eq!(texts, [(2, "one"), (3, "two\nthree")]);
    let found = facts(Language::TypeScript, "import x from 'y';\nconst a: string = `b`;\n").unwrap();
    assert_eq!(found.imports[0].text, "y");
    assert!(found.strings.iter().any(|one| one.text == "b" && one.line == 2));
}

#[test]
fn what_is_no_program_hurts_nobody() {
    for language in [Language::Python, Language::JavaScript, Language::TypeScript] {
        for source in [
            "(".repeat(200_000),
            "a.".repeat(100_000),
            "\u{0}\u{1}".repeat(1000),
            format!("{}x{}", "[".repeat(50_000), "]".repeat(50_000)),
            "if x:\n ".repeat(2_000),
        ] {
            let _maybe = facts(language, &source);
        }
    }
}
