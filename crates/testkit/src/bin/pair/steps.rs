//! The tour that clients take at a server of `pairs`, for both releases of the Rust SDK: it knows neither.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a step waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a step may take as a whole.
const STEP_MAX: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_millis(20);

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What each release can, with results as the objects that they are on the wire.
pub(crate) trait Client {
    /// Everything of a kind, named as a listing names it.
    async fn list(&self, kind: &str) -> Result<Value, Failure>;
    async fn call(&self, tool: &str, arguments: Value) -> Result<Value, Failure>;
    /// Calls a tool, and takes the call back as soon as `when` is done.
    async fn call_and_take_back(
        &self,
        tool: &str,
        arguments: Value,
        when: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure>;
    async fn read(&self, uri: &str) -> Result<Value, Failure>;
    async fn prompt(&self, name: &str, arguments: Value) -> Result<Value, Failure>;
    /// The reports of progress so far; they are forgotten then.
    fn reports(&self) -> Vec<f64>;
}

/// Prints a step's line: its name, `ok` or `FAIL`, and what was seen, between tabs.
pub(crate) fn row(step: &str, seen: &Result<String, Failure>) -> io::Result<()> {
    let (verdict, told) = match seen {
        Ok(told) => ("ok", told.clone()),
        Err(error) => ("FAIL", error.to_string().lines().next().unwrap_or_default().to_owned()),
    };
    writeln!(io::stdout(), "{step}\t{verdict}\t{told}")
}

/// Takes every step between connecting and closing.
pub(crate) async fn take(client: &impl Client) -> io::Result<()> {
    step("list", list(client)).await?;
    step("call", add(client)).await?;
    step("progress", count(client)).await?;
    step("read", read(client)).await?;
    step("prompt", greet(client)).await?;
    step("elicit", ask(client)).await?;
    step("cancel", cancel(client)).await
}

async fn step(name: &str, step: impl Future<Output = Result<String, Failure>>) -> io::Result<()> {
    let seen = tokio::time::timeout(STEP_MAX, step).await.unwrap_or_else(|_| Err("it did not end".into()));
    row(name, &seen)
}

fn check(condition: bool, told: impl Into<String>) -> Result<String, Failure> {
    if condition { Ok(String::new()) } else { Err(told.into().into()) }
}

/// The text at a place in an answer, which must be `wanted`.
fn text_at(answer: &Value, pointer: &str, wanted: &str) -> Result<String, Failure> {
    check(answer.pointer(pointer).and_then(Value::as_str) == Some(wanted), answer.to_string())
}

const SAID: &str = "/content/0/text";

async fn list(client: &impl Client) -> Result<String, Failure> {
    let tools = client.list("tools").await?;
    let offered =
        |name: &str| tools.as_array().into_iter().flatten().any(|tool| tool.get("name") == Some(&json!(name)));
    check(["add", "cancelled", "count", "wait"].into_iter().all(offered), tools.to_string())?;
    text_at(&client.list("prompts").await?, "/0/name", "greet")?;
    text_at(&client.list("resources").await?, "/0/uri", "pairs://greeting")?;
    text_at(&client.list("resourceTemplates").await?, "/0/uriTemplate", "pairs://square/{n}")?;
    Ok(if offered("ask") { "with ask" } else { "without ask" }.to_owned())
}

async fn add(client: &impl Client) -> Result<String, Failure> {
    text_at(&client.call("add", json!({ "a": 2, "b": 3 })).await?, SAID, "5")
}

async fn count(client: &impl Client) -> Result<String, Failure> {
    text_at(&client.call("count", json!({ "to": 3 })).await?, SAID, "counted to 3")?;
    let reports = client.reports();
    check(reports == [1.0, 2.0, 3.0], format!("the reports were {reports:?}"))
}

async fn read(client: &impl Client) -> Result<String, Failure> {
    text_at(&client.read("pairs://greeting").await?, "/contents/0/text", "Hello.")?;
    text_at(&client.read("pairs://square/7").await?, "/contents/0/text", "49")
}

async fn greet(client: &impl Client) -> Result<String, Failure> {
    let prompt = client.prompt("greet", json!({ "name": "Ada" })).await?;
    text_at(&prompt, "/messages/0/content/text", "Say hello to Ada.")
}

async fn ask(client: &impl Client) -> Result<String, Failure> {
    text_at(&client.call("ask", json!({})).await?, SAID, "Hello, Ada.")
}

async fn cancel(client: &impl Client) -> Result<String, Failure> {
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let key = json!({ "key": format!("{:x}", u128::from_be_bytes(random)) });
    let becomes = async |state: &str| -> Result<(), Failure> {
        let asked = Instant::now();
        while text_at(&client.call("cancelled", key.clone()).await?, SAID, state).is_err() {
            check(asked.elapsed() < PATIENCE, format!("the call did not become {state}"))?;
            tokio::time::sleep(RETRY).await;
        }
        Ok(())
    };
    client.call_and_take_back("wait", key.clone(), becomes("waiting")).await?;
    becomes("cancelled").await?;
    Ok(String::new())
}
