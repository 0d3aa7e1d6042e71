//! From files to state: planned, shown, applied whole or not at all.

use serde_json::{Value, json};

use crate::bench::{Bench, refund};

const ZONE: &str = "name = \"plant\"\naddresses = [\"127.0.0.0/8\"]\npurpose = \"Loopback\"\n";
const SERVER: &str =
    "name = \"erp\"\nurl = \"http://127.0.0.1:9/mcp\"\nzone = \"plant\"\nowner = \"ops\"\npurpose = \"Orders\"\n";
const ENDPOINT: &str = "name = \"orders\"\nserver = \"erp\"\npurpose = \"Orders, for support\"\n";
const POLICY: &str = "@id(\"all\")\npermit(principal, action, resource);\n";

fn file(file: &str, text: &str) -> Value {
    json!({ "file": file, "text": text })
}

fn everything() -> Value {
    json!({
        "zones": [file("zones/plant.toml", ZONE)],
        "servers": [file("servers/erp.toml", SERVER)],
        "endpoints": [file("endpoints/orders.toml", ENDPOINT)],
        "policies": [file("policies/all.cedar", POLICY)],
    })
}

/// What changes, as `create zone plant`.
fn told(plan: &Value) -> Vec<String> {
    let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|one| [word(one, "action"), word(one, "kind"), word(one, "name")].join(" ")).collect()
}

#[tokio::test]
async fn a_plan_shows_what_would_change_and_changes_nothing() {
    let bench = Bench::open().await;
    let plan = bench.done("POST", "/plan", &json!({ "manifests": everything() })).await;
    let expected =
        ["create zone plant", "create server erp", "create endpoint orders", "create policy policies/all.cedar"];
    assert_eq!(told(&plan), expected);
    assert_eq!(plan["changes"][1]["note"], "unreachable until someone approves what it offers");
    assert_eq!(bench.done("GET", "/revision", &Value::Null).await["revision"], plan["revision"]);
    assert_eq!(bench.done("GET", "/endpoints", &Value::Null).await, json!([]));
}

#[tokio::test]
async fn files_are_applied_in_effect_and_new_servers_are_looked_at() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    let applied = bench.apply(&everything()).await;
    assert_eq!((&applied["in_effect"], &applied["looked_at"][0]["tools"]), (&json!(true), &json!(1)));
    assert_eq!(applied["looked_at"][0]["awaits_approval"], true);
    assert_eq!(bench.done("GET", "/endpoints", &Value::Null).await[0]["manifest"]["server"], "erp");
    assert_eq!(bench.done("GET", "/zones", &Value::Null).await[0]["addresses"], json!(["127.0.0.0/8"]));
    assert_eq!(bench.done("GET", "/policies", &Value::Null).await[0]["effect"], "permit");
    // The same files again change nothing, and make no revision.
    let before = bench.done("GET", "/revision", &Value::Null).await;
    assert_eq!(told(&bench.apply(&everything()).await), Vec::<String>::new());
    assert_eq!(bench.done("GET", "/revision", &Value::Null).await, before);
}

#[tokio::test]
async fn a_plan_that_is_out_of_date_is_not_applied() {
    let bench = Bench::open().await;
    let plan = bench.done("POST", "/plan", &json!({ "manifests": everything() })).await;
    bench.apply(&json!({ "zones": [file("zones/plant.toml", ZONE)] })).await;
    let order = json!({ "manifests": everything(), "expected": plan["revision"] });
    assert_eq!(bench.refused("POST", "/apply", &order).await.0, "conflict");
    assert_eq!(bench.done("GET", "/servers", &Value::Null).await, json!([]));
}

#[tokio::test]
async fn a_kind_that_is_there_becomes_what_it_says_and_the_others_stay() {
    let bench = Bench::open().await;
    bench.apply(&everything()).await;
    let plan = bench.done("POST", "/plan", &json!({ "manifests": { "policies": [] } })).await;
    assert_eq!(told(&plan), ["delete policy policies/all.cedar"]);
    let moved = SERVER.replace("127.0.0.1:9", "127.0.0.1:10");
    let plan =
        bench.done("POST", "/plan", &json!({ "manifests": { "servers": [file("servers/erp.toml", &moved)] } })).await;
    assert_eq!(told(&plan), ["update server erp"]);
    assert_eq!(plan["changes"][0]["note"], Value::Null);
}

#[tokio::test]
async fn moving_an_approved_server_says_that_its_approval_ends() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    bench.apply(&everything()).await;
    bench.approve("erp").await;
    let renamed = SERVER.replace("Orders", "Orders and refunds");
    let applied = bench.apply(&json!({ "servers": [file("servers/erp.toml", &renamed)] })).await;
    assert_eq!(applied["looked_at"][0]["awaits_approval"], false);
    let moved = SERVER.replace("127.0.0.1:9", "127.0.0.1:10");
    let manifests = json!({ "servers": [file("servers/erp.toml", &moved)] });
    let plan = bench.done("POST", "/plan", &json!({ "manifests": manifests })).await;
    assert_eq!(plan["changes"][0]["note"], "its approval ends: unreachable until approved again");
    bench.apply(&manifests).await;
    assert_eq!(bench.done("GET", "/servers/erp", &Value::Null).await["in_service"], false);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_with_its_place() {
    let bench = Bench::open().await;
    let manifests = json!({
        "servers": [file("servers/erp.toml", &SERVER.replace("purpose", "purpos"))],
        "endpoints": [file("endpoints/other.toml", ENDPOINT)],
    });
    let (code, error) = bench.refused("POST", "/plan", &json!({ "manifests": manifests })).await;
    assert_eq!(code, "manifest-invalid");
    let problems = error["problems"].as_array().unwrap();
    assert_eq!(problems[0]["where"], json!({ "file": "servers/erp.toml", "line": 5, "column": 1 }));
    assert_eq!(problems[0]["hint"], "did you mean `purpose`?");
    assert_eq!(problems[1]["where"], json!({ "file": "endpoints/other.toml", "line": 1, "column": 1 }));
    assert_eq!(problems[1]["hint"], "describe it once, in endpoints/orders.toml");
}

#[tokio::test]
async fn names_that_lead_nowhere_are_told_with_their_place() {
    let bench = Bench::open().await;
    let manifests = json!({
        "servers": [file("servers/erp.toml", SERVER)],
        "endpoints": [file("endpoints/orders.toml", &ENDPOINT.replace("erp", "crm"))],
    });
    let (_, error) = bench.refused("POST", "/plan", &json!({ "manifests": manifests })).await;
    let problems = error["problems"].as_array().unwrap();
    assert_eq!(problems[0]["where"], json!({ "file": "servers/erp.toml", "line": 3, "column": 1 }));
    assert_eq!(problems[0]["message"], "server `erp` is in zone `plant`, which is not declared");
    assert_eq!(problems[1]["where"], json!({ "file": "endpoints/orders.toml", "line": 2, "column": 1 }));
    assert_eq!(problems[1]["message"], "endpoint `orders` names server `crm`, which there is not");
}

#[tokio::test]
async fn a_server_that_an_endpoint_still_names_cannot_be_taken_away() {
    let bench = Bench::open().await;
    bench.apply(&everything()).await;
    let (code, _) = bench.refused("POST", "/plan", &json!({ "manifests": { "servers": [] } })).await;
    assert_eq!(code, "manifest-invalid");
    assert_eq!(bench.refused("DELETE", "/servers/erp", &Value::Null).await.0, "refused");
}

#[tokio::test]
async fn a_policy_with_a_mistake_is_told_at_its_line() {
    let bench = Bench::open().await;
    let text = "@id(\"ok\")\npermit(principal, action, resource);\n\npermit(principal, acton, resource);\n";
    let manifests = json!({ "policies": [file("policies/all.cedar", text)] });
    let (code, error) = bench.refused("POST", "/plan", &json!({ "manifests": manifests })).await;
    assert_eq!((code.as_str(), &error["where"]["line"]), ("manifest-invalid", &json!(4)), "{error}");
    for name in ["limits.cedar", "policies/sub/limits.cedar", "policies/.cedar", "policies/limits.toml"] {
        let manifests = json!({ "policies": [file(name, POLICY)] });
        assert_eq!(
            bench.refused("POST", "/plan", &json!({ "manifests": manifests })).await.0,
            "manifest-invalid",
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_for_several_servers_says_what_of_it_is_not_there() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    bench.submit("erp").await;
    bench.approve("erp").await;
    let crm = "name = \"crm\"\nurl = \"https://crm.example/\"\nowner = \"o\"\npurpose = \"p\"\n";
    let erp = "name = \"erp\"\nurl = \"https://erp.example/mcp\"\nowner = \"ops\"\npurpose = \"Orders\"\n";
    let desk = "name = \"desk\"\npurpose = \"p\"\n[[servers]]\nname = \"crm\"\n\
                [[servers]]\nname = \"erp\"\ntools = [\"refund\", \"later\"]\n";
    let files = json!({
        "servers": [{ "file": "servers/crm.toml", "text": crm }, { "file": "servers/erp.toml", "text": erp }],
        "endpoints": [{ "file": "endpoints/desk.toml", "text": desk }],
    });
    let plan = bench.done("POST", "/plan", &json!({ "manifests": files })).await;
    let note = "server `erp` has no tool `later` (yet): nothing is shown for it";
    assert_eq!(plan["warnings"], json!([format!("endpoints/desk.toml: {note}")]));
    bench.apply(&files).await;
    let rows = bench.done("GET", "/endpoints", &Value::Null).await;
    let row = &rows[0];
    assert_eq!((&row["in_service"], &row["tools"], &row["notes"]), (&json!(true), &json!(1), &json!([note])));
    assert_eq!(row["missing"], json!(["its server `crm` is submitted"]));
}

#[tokio::test]
async fn servers_that_could_claim_one_resource_are_refused_and_it_says_which() {
    let bench = Bench::open().await;
    let desk = "name = \"desk\"\npurpose = \"p\"\n[[servers]]\nname = \"crm\"\nresources = [\"crm://\"]\n\
                [[servers]]\nname = \"erp\"\nresources = [\"erp://\", \"crm://orders/\"]\n";
    let files = json!({ "endpoints": [{ "file": "endpoints/desk.toml", "text": desk }] });
    let (code, error) = bench.refused("POST", "/plan", &json!({ "manifests": files })).await;
    assert_eq!(code, "manifest-invalid");
    assert_eq!(error["where"], json!({ "file": "endpoints/desk.toml", "line": 8, "column": 1 }));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`crm://orders/` of server `erp` overlaps with `crm://` of server `crm`"), "{message}");
    let unknown = "name = \"desk\"\npurpose = \"p\"\n[[servers]]\nname = \"crm\"\n";
    let files = json!({ "endpoints": [{ "file": "endpoints/desk.toml", "text": unknown }] });
    let (_, error) = bench.refused("POST", "/plan", &json!({ "manifests": files })).await;
    assert_eq!((&error["where"]["line"], &error["where"]["column"]), (&json!(4), &json!(1)), "{error}");
}
