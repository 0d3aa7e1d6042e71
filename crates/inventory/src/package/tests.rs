use super::*;

fn found(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (program, arguments) = words.split_first().unwrap();
    match run(program, arguments) {
        None => "none".to_owned(),
        Some(Run { package: Package { ecosystem, name, version }, arguments }) => {
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{} {name}{version} [{}]", ecosystem.word(), arguments.join(" "))
        }
    }
}

#[test]
fn a_launcher_s_package_is_what_it_fetches() {
    for (line, expected) in [
        ("npx -y @modelcontextprotocol/server-filesystem /data", "npm @modelcontextprotocol/server-filesystem [/data]"),
        ("npx --yes some-mcp@1.2.3 --port 1", "npm some-mcp 1.2.3 [--port 1]"),
        ("npx some-mcp@latest", "npm some-mcp []"),
        ("npx some-mcp@^1.2.0", "npm some-mcp []"),
        ("npx -y -p @acme/pkg@2.0.0 acme-bin x", "npm @acme/pkg 2.0.0 [x]"),
        ("npx --package=@acme/pkg acme-bin", "npm @acme/pkg []"),
        ("npx.cmd -y some-mcp", "npm some-mcp []"),
        ("cmd /c npx -y some-mcp", "npm some-mcp []"),
        ("pnpm dlx some-mcp", "npm some-mcp []"),
        ("bun x some-mcp", "npm some-mcp []"),
        ("/usr/bin/uvx mcp_Server.fetch", "PyPI mcp-server-fetch []"),
        ("uvx --from mcp-things[cli]==1.4 things-server -v", "PyPI mcp-things 1.4 [-v]"),
        ("uvx --python 3.12 mcp-x@0.3.1", "PyPI mcp-x 0.3.1 []"),
        ("uv tool run mcp-x", "PyPI mcp-x []"),
        ("pipx run --spec mcp-x==2.0 serve", "PyPI mcp-x 2.0 []"),
        ("docker run -i --rm -e TOKEN=*** -v /a:/b mcp/github:latest stdio", "image mcp/github [stdio]"),
        ("docker run -i docker.io/mcp/time@sha256:abc", "image mcp/time sha256:abc []"),
        ("docker run registry.example:5000/mcp/time:1.0", "image registry.example:5000/mcp/time []"),
    ] {
        assert_eq!(found(line), expected, "{line}");
    }
}

#[test]
fn what_fetches_nothing_has_no_package() {
    for line in [
        "node /srv/server.js",
        "python -m thing",
        "npx",
        "uvx --from git+https://x.example/y",
        "npx ./here",
        "docker ps",
    ] {
        if line.contains("git+") {
            // `--from` names something that is in no index.
            assert_eq!(found(&format!("{line} serve")), "none");
        }
        assert_eq!(found(line), "none", "{line}");
    }
}
