# To be sourced after ../scene.sh: a gate at which people sign in, with a real identity provider behind it.

# free_port: a port of loopback that nobody has just now.
free_port() { node -e 's=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

# start_gate_with_sign_in: an endpoint `suite` over the server at `fixture`, with the application `app` registered, which
# may do everything for anybody of the group `staff`. Then the gate's URL is in `gate`, the provider's in `issuer`, the
# endpoint's in `endpoint`, that of the admin listener, where people sign in, too, in `admin`.
start_gate_with_sign_in() {
    local port admin_port secret
    port=$(free_port)
    admin_port=$(free_port)
    gate=http://127.0.0.1:$port
    admin=http://127.0.0.1:$admin_port
    secret=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    node tests/identity/provider.mjs "$gate" "$admin" "$secret" >"$out/provider.log" 2>&1 &
    started+=($!)
    issuer=$(wait_for "$out/provider.log" 's/^ready: \(http:[^ ]*\).*/\1/p')

    configure_gate
    mkdir -m 700 -p "$config/state/agents" "$config/secrets"
    sed -i "/^\[agents\]/,/^listen/s/^listen = .*/listen = \"127.0.0.1:$port\"/; /^\[admin\]/,/^listen/s/^listen = .*/listen = \"127.0.0.1:$admin_port\"/" \
        "$config/portcullis.toml"
    (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$config/approver.token")
    (umask 077 && printf %s "$secret" >"$config/secrets/provider" && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$config/secrets/vault")
    cat >>"$config/portcullis.toml" <<EOF

[vault]
key = "file:secrets/vault"

[sign_in]
issuer = "$issuer"
client_id = "portcullis"
client_secret = "file:secrets/provider"
scopes = ["offline_access"]
claims = { user = "preferred_username" }
networks = ["127.0.0.1/32"]

[[admin.token]]
name = "approver"
roles = ["approver"]
token = "file:approver.token"

[people]
issuer = "$issuer"
client_id = "portcullis-people"
client_secret = "file:secrets/provider"
scopes = ["offline_access"]
claims = { user = "preferred_username" }
networks = ["127.0.0.1/32"]
roles = { admin = ["platform"], viewer = ["staff"] }
EOF
    cat >"$config/state/agents/app.toml" <<EOF
name = "app"
kind = "delegated"
owner = "tests"
purpose = "What the tests sign in for"
endpoints = ["suite"]

[[clients]]
issuer = "$gate"
id = "app"
redirect_uris = ["http://127.0.0.1/callback", "http://localhost/callback"]
EOF
    cat >"$config/state/policies/app.cedar" <<EOF
@id("app-may-do-everything")
permit (principal == Agent::"app", action, resource);
@id("staff-may-do-everything")
permit (principal in Group::"staff", action, resource);
@id("pictures-need-a-second-factor")
@stepup("mfa")
forbid (principal, action == Action::"call", resource == Tool::"fixture/test_image_content");
EOF
    add_endpoint suite fixture "$fixture"
    serve_gate
    endpoint=$gate/suite/mcp
}
