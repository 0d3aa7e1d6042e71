# To be sourced: starts what tests outside Rust point their programs at, on loopback ports that are free.
#
# Wants the repository as the current directory, and `out`, a directory for logs and configuration. Whatever was
# started ends with the script that sourced this.

started=()
# Each is waited for, so that whoever runs this again finds nothing of it.
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done' EXIT

bin=${CARGO_TARGET_DIR:-target}/debug

# The revisions that the gate speaks.
gate_revisions=(2026-07-28 2025-11-25)

# gate_speaks REVISION
gate_speaks() { [[ " ${gate_revisions[*]} " == *" $1 "* ]]; }

# install_packages DIRECTORY: what its lock file names. No package here needs an install script, so none may run.
install_packages() (
    cd "$1"
    if [[ ! -e node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        touch node_modules/.package-lock.json
    fi
)

# build PACKAGE...: the programs of these packages, into `bin`.
build() {
    cargo build --quiet --locked "${@/#/--package=}" --bins
}

# wait_for LOG SED: the first line that SED prints from LOG, within ten seconds.
wait_for() {
    local found
    for _ in {1..100}; do
        # The log may not be there yet.
        found=$(sed -n "$2" "$1" 2>/dev/null | head -n 1) || true
        if [[ -n $found ]]; then echo "$found"; return; fi
        sleep 0.1
    done
    cat "$1" >&2
    return 1
}

# start_fixture [document|events [both|older|newer]]: the conformance server, of both eras or of one; its URL is then in
# `fixture`.
start_fixture() {
    "$bin/conformance-server" 127.0.0.1:0 "${1:-document}" "${2:-both}" >"$out/server.log" 2>&1 &
    started+=($!)
    fixture=$(wait_for "$out/server.log" 's/^ready: \(http:[^ ]*\).*/\1/p')
}

# start_gate: a gate with the endpoint `suite` over the server at `fixture`. It is as any gate: everything is approved
# and permitted, nothing is switched off. Then the endpoint's URL is in `endpoint`, and the file with the token of the
# one agent in `token_file`.
start_gate() {
    local config=$out/config
    token_file=$config/token
    mkdir -m 700 -p "$config" "$config/state/"{servers,endpoints,zones,policies}
    (umask 077 && printf 'conformance-%s' "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$token_file")
    cat >"$config/portcullis.toml" <<EOF
[agents]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[data]
directory = "data"

[[development.token]]
token = "file:token"
agent = "suite"
kind = "autonomous"
EOF
    cat >"$config/state/zones/loopback.toml" <<EOF
name = "loopback"
addresses = ["127.0.0.1/32"]
purpose = "The fixture"
EOF
    cat >"$config/state/servers/fixture.toml" <<EOF
name = "fixture"
url = "$fixture"
zone = "loopback"
owner = "tests"
purpose = "The conformance suite's fixture"
EOF
    cat >"$config/state/endpoints/suite.toml" <<EOF
name = "suite"
server = "fixture"
purpose = "What the tests connect to"
EOF
    cat >"$config/state/policies/suite.cedar" <<EOF
@id("suite-may-do-everything")
permit (principal == Agent::"suite", action, resource);
EOF

    "$bin/portcullis" serve --config "$config/portcullis.toml" >"$out/gate.log" 2>&1 &
    started+=($!)
    local ready agents admin which
    ready=$(wait_for "$out/gate.log" '/portcullis is ready/p')
    agents=$(sed -E 's|.*agents http://([^/]+)/.*|\1|' <<<"$ready")
    admin=$(sed -E 's|.*admin (http://[^ ]+).*|\1|' <<<"$ready")
    which=(--admin "$admin" --token-file "$config/data/admin.token")
    "$bin/portcullis" apply -f "$config/state" --yes "${which[@]}" >"$out/apply.log"
    "$bin/portcullis" server approve fixture --yes "${which[@]}" >"$out/approve.log"
    endpoint=http://$agents/suite/mcp
}

# start_forwarder: what adds the agent's token to requests for the gate; the endpoint's URL there is then in `forwarded`.
start_forwarder() {
    local gate
    gate=$(sed -E 's|http://([^/]+)/.*|\1|' <<<"$endpoint")
    "$bin/add-credentials" 127.0.0.1:0 "$gate" "$token_file" >"$out/forwarder.log" 2>&1 &
    started+=($!)
    forwarded=$(wait_for "$out/forwarder.log" 's/^ready: \(http:[^ ]*\).*/\1/p')/suite/mcp
}
