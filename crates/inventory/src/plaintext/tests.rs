use super::*;

/// Made of parts, so that nobody who looks for tokens finds one here.
fn token() -> String {
    ["ghp", "_", "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8"].concat()
}

#[test]
fn a_secret_is_told_by_its_name_or_by_its_form() {
    let token = token();
    for (name, value) in [
        ("GITHUB_TOKEN", "whatever-it-is"),
        ("apiKey", "whatever-it-is"),
        ("X-Api-Key", "whatever-it-is"),
        ("DB_PASSWORD", "hunter2"),
        ("Authorization", "Bearer whatever-it-is"),
        ("ANYTHING", &token),
        ("DATABASE_URL", "postgres://ana:hunter2@db.example/x"),
        ("AZURE_SUBSCRIPTION_KEY", "whatever-it-is"),
    ] {
        assert!(is_secret(name, value), "{name}={value}");
    }
}

#[test]
fn references_blank_forms_and_plain_settings_are_no_secrets() {
    for (name, value) in [
        ("GITHUB_TOKEN", "${GITHUB_TOKEN}"),
        ("GITHUB_TOKEN", "$GITHUB_TOKEN"),
        ("GITHUB_TOKEN", "${input:github}"),
        ("GITHUB_TOKEN", "%GITHUB_TOKEN%"),
        ("GITHUB_TOKEN", "op://vault/item/token"),
        ("GITHUB_TOKEN", "<your token>"),
        ("GITHUB_TOKEN", "your-token-here"),
        ("GITHUB_TOKEN", ""),
        ("Authorization", "Bearer ${TOKEN}"),
        ("LOG_LEVEL", "debug"),
        ("TOKEN_LIMIT", "100000"),
        ("KEYBOARD", "qwerty"),
        ("HOME", "/home/ana"),
        ("URL", "https://host.example:8443/path"),
        ("PATH", "/usr/bin:/bin"),
    ] {
        assert!(!is_secret(name, value), "{name}={value}");
    }
}

#[test]
fn arguments_are_masked_where_they_hold_a_secret_and_nowhere_else() {
    let token = token();
    let given = [
        "run",
        "-e",
        &format!("GITHUB_TOKEN={token}"),
        "--api-key",
        "abcdef123",
        "--verbose",
        "/home/ana",
        "postgres://ana:hunter2@db.example/x",
        "--header",
        "Authorization: Bearer abcdef123",
        "https://mcp.example/sse?api_key=abcdef123",
        "--port=80",
        "C:\\Users\\ana",
        "https://mcp.example/x?page=2",
    ]
    .map(str::to_owned);
    let (clean, places) = masked(&given);
    assert_eq!(
        clean,
        [
            "run",
            "-e",
            "GITHUB_TOKEN=***",
            "--api-key",
            "***",
            "--verbose",
            "/home/ana",
            "postgres://db.example/x",
            "--header",
            "Authorization: ***",
            "https://mcp.example/sse?***",
            "--port=80",
            "C:\\Users\\ana",
            "https://mcp.example/x?page=2",
        ]
    );
    assert_eq!(places, [3, 5, 8, 10, 11]);
}

#[test]
fn a_token_within_a_path_is_masked() {
    let url = format!("https://mcp.example/s/{}/mcp", token());
    assert_eq!(masked_url(&url).unwrap(), "https://mcp.example/s/***/mcp");
    assert_eq!(masked_url("https://mcp.example/s/mcp"), None);
}

#[test]
fn a_line_for_a_shell_is_shown_without_the_secrets_in_it() {
    let token = token();
    for (line, expected) in [
        (format!("npx server --token {token}"), "npx server --token ***"),
        (format!("export A=1; GITHUB_TOKEN={token}"), "export A=1; GITHUB_TOKEN=***"),
        ("npx server --token hunter22 --api-key=hunter22".to_owned(), "npx server --token *** --api-key=***"),
        ("export A=1; DB_PASSWORD='hunter22 b'&&npx b".to_owned(), "export A=1; DB_PASSWORD=***"),
        ("bash -c \"npx b --token hunter22\"".to_owned(), "bash -c npx b --token ***"),
        ("it's npx b --token hunter22".to_owned(), "it's npx b --token ***"),
        ("curl https://u:hunter22@h.example/x -o f".to_owned(), "curl https://h.example/x -o f"),
    ] {
        let (clean, places) = masked(&["-c".to_owned(), line.clone()]);
        assert!(clean[1].starts_with(expected) && !clean[1].contains("hunter22"), "{line}: {}", clean[1]);
        assert!(!clean[1].contains(&token) && places == [2], "{}", clean[1]);
    }
    assert!(is_secret("ANYTHING", &format!("npx {token}")), "a token is one wherever it stands");
    let plain =
        "cd /home/ana && TOKEN=\"$TOKEN\" npx -y server --token $TOKEN --url https://h.example/x?a=1".to_owned();
    assert_eq!(masked(std::slice::from_ref(&plain)), (vec![plain], Vec::new()));
}
