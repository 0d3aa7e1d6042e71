//! The story: ten things agents do, and what the gate makes of each.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use drill::mcp::Reply;
use http::HeaderMap;
use serde_json::{Value, json};

use super::page::Page;
use super::stage::Stage;

/// How long a stream may take to be cut.
const CUT: Duration = Duration::from_secs(5);

/// What became of one thing an agent did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was done.
    Permitted,
    /// It was not.
    Refused,
}

/// One step, as it went.
pub(super) struct Step {
    /// What it shows.
    pub title: &'static str,
    /// Who asked for what.
    pub asked: String,
    /// What the gate made of it.
    pub verdict: Verdict,
    /// What the agent read.
    pub answer: String,
    /// The policies that decided, or the control that refused.
    pub by: String,
    /// The receipt.
    pub receipt: String,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// What went otherwise than the story tells.
    pub astray: Vec<String>,
}

/// The whole story.
#[derive(Default)]
pub(super) struct Story {
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Story {
    /// Whether every step went as told.
    pub(super) fn went_as_told(&self) -> bool {
        self.steps.iter().all(|step| step.astray.is_empty())
    }
}

/// Tells it, printing each step as it happens.
pub(super) async fn tell(stage: &Stage, page: &Page) -> anyhow::Result<Story> {
    let mut story = Story::default();
    let mut go_on = |step: Step| {
        page.step(story.steps.len() + 1, &step);
        story.steps.push(step);
    };
    go_on(read(stage).await?);
    go_on(refund(stage, "A refund within the limit", 80, Verdict::Permitted).await?);
    go_on(refund(stage, "A refund over the limit", 900, Verdict::Refused).await?);
    go_on(hidden_tool(stage).await?);
    go_on(unapproved_server(stage).await?);
    go_on(autonomous(stage).await?);
    go_on(two_servers(stage).await?);
    go_on(rug_pull(stage).await?);
    go_on(two_readers(stage).await?);
    go_on(halt(stage).await?);
    Ok(story)
}

async fn read(stage: &Stage) -> anyhow::Result<Step> {
    let orders = stage.client("helpdesk", "orders")?;
    let arguments = json!({ "order_id": "A-20417" });
    let reply = orders.call("get_order", arguments.clone()).await?;
    let mut step =
        Step::told(stage, "A permitted read", "ana, through helpdesk", "get_order", &arguments, &reply).await?;
    step.expect(step.verdict == Verdict::Permitted, "it was refused");
    let total = reply.structured().and_then(|order| order.get("total")).and_then(Value::as_f64).unwrap_or_default();
    let status = reply.structured().and_then(|order| order.get("status")).and_then(Value::as_str).unwrap_or_default();
    step.answer = format!("order A-20417, {status}, {total:.2} EUR");
    Ok(step)
}

async fn refund(stage: &Stage, title: &'static str, amount: u32, verdict: Verdict) -> anyhow::Result<Step> {
    let before = stage.company.calls("erp");
    let orders = stage.client("helpdesk", "orders")?;
    let arguments = json!({ "order_id": "A-20417", "amount": amount, "reason": "Tent pole broken" });
    let reply = orders.call("refund_order", arguments).await?;
    let shown = json!({ "order_id": "A-20417", "amount": amount });
    let mut step = Step::told(stage, title, "ana, through helpdesk", "refund_order", &shown, &reply).await?;
    step.expect(step.verdict == verdict, "the verdict is another");
    let reached = stage.company.calls("erp") - before;
    match verdict {
        Verdict::Permitted => {
            step.expect(reached == 1, "the call did not reach the ERP once");
            step.answer = format!("{amount}.00 EUR paid back");
        }
        Verdict::Refused => {
            step.expect(reached == 0, "the call reached the ERP");
            step.expect(step.by == "refund-limit", "another policy decided");
            step.note = Some("Nothing reached the ERP: its call counter did not move.".into());
        }
    }
    Ok(step)
}

async fn hidden_tool(stage: &Stage) -> anyhow::Result<Step> {
    let orders = stage.client("helpdesk", "orders")?;
    let listing = orders.list("tools/list").await?;
    let arguments = json!({ "sku": "TENT-FJELL-2", "price": 1 });
    let reply = orders.call("change_price", arguments.clone()).await?;
    let mut step =
        Step::told(stage, "A tool the agent may not see", "ana, through helpdesk", "change_price", &arguments, &reply)
            .await?;
    step.expect(step.verdict == Verdict::Refused, "it was permitted");
    step.expect(!listing.names("tools").contains(&"change_price"), "the listing shows it");
    let missing = orders.call("no_such_tool", json!({})).await?;
    step.expect(missing.error_code() == reply.error_code(), "it differs from a tool that does not exist");
    step.expect(missing.error_message() == reply.error_message(), "it differs from a tool that does not exist");
    step.note = Some("It is in no listing, and answers exactly like a tool that does not exist.".into());
    Ok(step)
}

async fn unapproved_server(stage: &Stage) -> anyhow::Result<Step> {
    let web = stage.client("helpdesk", "web")?;
    let arguments = json!({ "query": "tent pole repair" });
    let reply = web.call("search", arguments.clone()).await?;
    let mut step =
        Step::told(stage, "A server nobody approved", "ana, through helpdesk", "search", &arguments, &reply).await?;
    step.expect(step.verdict == Verdict::Refused, "it was permitted");
    step.expect(stage.company.calls("web-search") == 0, "the call reached the server");
    step.note = Some("`web-search` was submitted; until someone approves it, its endpoint does not exist.".into());
    Ok(step)
}

async fn autonomous(stage: &Stage) -> anyhow::Result<Step> {
    let invoices = stage.client("reconciler", "invoices")?;
    let reply = invoices.call("list_invoices", json!({ "customer_id": "C-1001" })).await?;
    let asked = "reconciler, for nobody";
    let mut step = Step::told(
        stage,
        "An agent that works for no person",
        asked,
        "list_invoices",
        &json!({ "customer_id": "C-1001" }),
        &reply,
    )
    .await?;
    step.expect(step.verdict == Verdict::Permitted, "it was refused");
    let orders = stage.client("reconciler", "orders")?.call("list_orders", json!({})).await?;
    step.expect(orders.status == http::StatusCode::NOT_FOUND, "it reached another endpoint");
    step.answer = "the invoices".into();
    step.note = Some("It may read invoices and nothing else: no user's rights can be borrowed.".into());
    Ok(step)
}

async fn two_servers(stage: &Stage) -> anyhow::Result<Step> {
    let support = stage.client("helpdesk", "support")?;
    let listing = support.list("tools/list").await?;
    let names = listing.names("tools");
    let customer = support.call("crm_find_customer", json!({ "query": "Lind" })).await?;
    let arguments = json!({ "name": "tent-poles", "text": "Refund up to 500 euro; above it, ask finance." });
    let reply = support.call("notes_append_note", arguments.clone()).await?;
    let title = "Two servers behind one URL, one of them a program";
    let mut step = Step::told(stage, title, "ana, through helpdesk", "notes_append_note", &arguments, &reply).await?;
    step.expect(step.verdict == Verdict::Permitted, "it was refused");
    step.expect(!is_refused(&customer), "the other server's tool was refused");
    step.expect(names.contains(&"crm_find_customer") && names.contains(&"notes_read_note"), "the listing lacks one");
    step.expect(!names.iter().any(|name| name.ends_with("update_contact")), "a tool is there that was not chosen");
    step.expect(stage.directory.join("notebook/tent-poles.md").exists(), "the note was not written");
    step.answer = "the note, as it stands now".into();
    step.note = Some(
        "The gate started `notes` for this call, in an environment of its own, and ends it with itself. Names begin with \
         their server's: no server can take another's."
            .into(),
    );
    Ok(step)
}

async fn rug_pull(stage: &Stage) -> anyhow::Result<Step> {
    stage.company.erp().poison_tool("get_order");
    stage.drift_seen("erp").await?;
    let orders = stage.client("helpdesk", "orders")?;
    let arguments = json!({ "order_id": "A-20417" });
    let reply = orders.call("get_order", arguments.clone()).await?;
    let title = "A tool whose definition changed under it";
    let mut step = Step::told(stage, title, "ana, through helpdesk", "get_order", &arguments, &reply).await?;
    step.expect(step.verdict == Verdict::Refused, "it was permitted");
    let other = orders.call("list_products", json!({})).await?;
    step.expect(!is_refused(&other), "another tool of the server was refused too");
    step.note = Some("The server's other tools go on. `portcullis server diff erp` shows what changed.".into());
    Ok(step)
}

async fn two_readers(stage: &Stage) -> anyhow::Result<Step> {
    let before = stage.company.calls("erp");
    let orders = stage.client("helpdesk", "orders")?;
    let params = json!({ "name": "refund_order", "arguments": { "order_id": "A-20417", "amount": 80, "reason": "x" } });
    let body = orders.body("tools/call", params.clone()).to_string();
    let twice = body.replacen("\"amount\":80", "\"amount\":80,\"amount\":8000", 1);
    let headers: HeaderMap = orders.headers("tools/call", &params);
    let reply = orders.raw(twice, headers).await?;
    let shown = json!("{…, \"amount\": 80, \"amount\": 8000}");
    let title = "A body that two readers read differently";
    let mut step = Step::told(stage, title, "ana, through helpdesk", "refund_order", &shown, &reply).await?;
    step.expect(step.verdict == Verdict::Refused, "it was permitted");
    step.expect(stage.company.calls("erp") == before, "the call reached the ERP");
    step.note = Some("One reader would have seen 80, another 8000. Neither gets to see it.".into());
    Ok(step)
}

async fn halt(stage: &Stage) -> anyhow::Result<Step> {
    let orders = stage.client("helpdesk", "orders")?;
    let mut stream = orders.listen(json!({ "toolsListChanged": true })).await?;
    let acknowledged = stream.next().await?;
    let began = Instant::now();
    let order = json!({ "what": "everything", "reason": "quickstart" });
    let (halted, last) = tokio::join!(stage.order("/halts", &order), tokio::time::timeout(CUT, stream.next()));
    let cut = began.elapsed().as_millis();
    halted?;
    let reply = orders.call("list_orders", json!({})).await?;
    let mut step =
        Step::told(stage, "A halt that cuts it all", "ana, through helpdesk", "list_orders", &json!({}), &reply)
            .await?;
    stage.order("/halts/end", &json!({ "what": "everything", "reason": "quickstart" })).await?;
    step.expect(step.verdict == Verdict::Refused, "it was permitted");
    step.expect(acknowledged.is_some(), "no stream was open");
    let told = last.context("the open stream was not cut")??.unwrap_or_default();
    step.expect(told.get("error").is_some(), "the stream did not say why it ended");
    let again = orders.call("list_orders", json!({})).await?;
    step.expect(!is_refused(&again), "it was still refused after the halt ended");
    step.note = Some(format!("The halt was durable and an open stream was cut within {cut} ms; then it was ended."));
    Ok(step)
}

fn is_refused(reply: &Reply) -> bool {
    reply.result().is_none() || reply.is_tool_error()
}

impl Step {
    /// What the agent saw, and what the receipt tells about it.
    async fn told(
        stage: &Stage,
        title: &'static str,
        who: &str,
        tool: &str,
        arguments: &Value,
        reply: &Reply,
    ) -> anyhow::Result<Self> {
        let verdict = if is_refused(reply) { Verdict::Refused } else { Verdict::Permitted };
        let answer = reply.error_message().map_or_else(|| reply.text(), str::to_owned);
        let receipt = reply.headers.get("portcullis-receipt").and_then(|value| value.to_str().ok());
        let receipt = receipt.context("the answer names no receipt")?.to_owned();
        let record = stage.ask(&format!("/receipts/{receipt}")).await?;
        let mut step = Self {
            title,
            asked: format!("{who}: {tool} {}", shown(arguments)),
            verdict,
            answer: answer.split(". Next:").next().unwrap_or_default().to_owned(),
            by: by(&record),
            receipt,
            note: None,
            astray: Vec::new(),
        };
        step.expect(!step.by.is_empty(), "its receipt does not say what decided");
        Ok(step)
    }

    /// Notes what went otherwise than told.
    fn expect(&mut self, as_told: bool, otherwise: &str) {
        if !as_told {
            self.astray.push(otherwise.to_owned());
        }
    }
}

/// Arguments as JSON; a text as it stands.
fn shown(arguments: &Value) -> String {
    arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned)
}

/// What decided, from the receipt: the policies; without any, the control.
fn by(receipt: &Value) -> String {
    let event = receipt.pointer("/record/event").unwrap_or(&Value::Null);
    let policies: Vec<&str> =
        event.get("policies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if policies.is_empty() {
        let control = event.get("control").and_then(Value::as_str).unwrap_or_default();
        return if control.is_empty() { String::new() } else { format!("no policy: the control `{control}`") };
    }
    policies.join(", ")
}
