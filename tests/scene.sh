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

# install_python REQUIREMENTS DIRECTORY: an environment with what the file names, and nothing else.
install_python() {
    if cmp --quiet "$1" "$2/requirements.txt"; then return; fi
    rm -rf "$2"
    python3 -m venv "$2"
    # Every version is pinned, and nothing is built here.
    "$2/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$1"
    cp "$1" "$2/requirements.txt"
}

# build_programs: all of ours, into `bin`. With a test among them, cargo chooses the features that it chooses for tests, and
# nothing is compiled anew.
build_programs() {
    cargo build --quiet --locked --workspace --bins --test add_credentials
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

# start_gate: a gate with the endpoint `suite` over the server at `fixture`. Then the endpoint's URL is in `endpoint`, and
# the file with the token of the one agent in `token_file`.
start_gate() {
    configure_gate
    add_agent suite
    add_endpoint suite fixture "$fixture"
    serve_gate
    endpoint=$gate/suite/mcp
    token_file=$config/suite.token
}

# configure_gate: begins the configuration of a gate, in the directory `config`; `add_agent` and `add_endpoint` add to it,
# and `serve_gate` starts the gate. It is as any gate: everything is approved and permitted, nothing is switched off.
configure_gate() {
    config=$out/config
    servers=()
    mkdir -m 700 -p "$config" "$config/state/"{servers,endpoints,zones,policies}
    cat >"$config/portcullis.toml" <<EOF
[agents]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[data]
directory = "data"
EOF
    cat >"$config/state/zones/loopback.toml" <<EOF
name = "loopback"
addresses = ["127.0.0.1/32"]
purpose = "What the tests start"
EOF
}

# add_agent NAME: an agent that may do everything; its token is in `$config/NAME.token`.
add_agent() {
    (umask 077 && printf '%s-%s' "$1" "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$config/$1.token")
    cat >>"$config/portcullis.toml" <<EOF

[[development.token]]
token = "file:$1.token"
agent = "$1"
kind = "autonomous"
EOF
    cat >"$config/state/policies/$1.cedar" <<EOF
@id("$1-may-do-everything")
permit (principal == Agent::"$1", action, resource);
EOF
}

# add_endpoint ENDPOINT SERVER URL: an endpoint over one server.
add_endpoint() {
    servers+=("$2")
    cat >"$config/state/servers/$2.toml" <<EOF
name = "$2"
url = "$3"
zone = "loopback"
owner = "tests"
purpose = "What the tests started"
EOF
    cat >"$config/state/endpoints/$1.toml" <<EOF
name = "$1"
server = "$2"
purpose = "What the tests connect to"
EOF
}

# suites_node: the Node that the conformance suite needs, 22. Its lock file brings one for Linux; elsewhere the system's own
# must do.
suites_node() {
    local pinned
    for pinned in "$PWD"/tests/conformance/node_modules/node-linux-*/bin/node; do
        if [[ -x $pinned ]]; then echo "$pinned"; return; fi
    done
    command -v node
}

# serve_gate: starts what was configured. Then the URL of the agents' listener is in `gate`, and in `which` how commands find
# the gate and who gives them.
serve_gate() {
    "$bin/portcullis" serve --config "$config/portcullis.toml" >"$out/gate.log" 2>&1 &
    started+=($!)
    local ready admin server approver=$config/data/admin.token
    ready=$(wait_for "$out/gate.log" '/portcullis is ready/p')
    gate=http://$(sed -E 's|.*agents http://([^/]+)/.*|\1|' <<<"$ready")
    admin=$(sed -E 's|.*admin (http://[^ ]+).*|\1|' <<<"$ready")
    which=(--admin "$admin" --token-file "$config/data/admin.token")
    "$bin/portcullis" apply -f "$config/state" --yes "${which[@]}" >"$out/apply.log"
    # Whoever submitted a server approves it only where nobody else could.
    if [[ -e $config/approver.token ]]; then approver=$config/approver.token; fi
    for server in "${servers[@]}"; do
        "$bin/portcullis" server approve "$server" --yes --admin "$admin" --token-file "$approver" >>"$out/approve.log"
    done
}

# start_forwarder: what adds the agent's token to requests for the gate; the endpoint's URL there is then in `forwarded`.
start_forwarder() {
    "$bin/add-credentials" 127.0.0.1:0 "${gate#http://}" "$token_file" >"$out/forwarder.log" 2>&1 &
    started+=($!)
    forwarded=$(wait_for "$out/forwarder.log" 's/^ready: \(http:[^ ]*\).*/\1/p')/suite/mcp
}
